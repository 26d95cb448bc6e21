/**
 * Signed messages, in one process and without a network between: how many replies a client handles in a second, from
 * the bytes off the wire to what a program reads, and how many requests a server answers.
 */
import { Fleet } from "../../lib/client/mod.ts";
import { configFrom } from "../../lib/config/mod.ts";
import type { Connection } from "../../lib/connector/mod.ts";
import { builtinResolver } from "../../lib/ddl/mod.ts";
import {
  decodeRequest,
  decodeSecureRequest,
  decodeTransport,
  encodeReply,
  encodeRpcReply,
  encodeSecureReply,
  encodeTransport,
} from "../../lib/protocol/mod.ts";
import { AgentHost } from "../../lib/rpc/mod.ts";
import { ReplayGuard, ReplyVerifier, RequestVerifier, signReply } from "../../lib/security/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, TokenVerifier } from "../../lib/tokens/mod.ts";
import { agentOf, call, FakeConnection } from "../rpc/support/host.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { median, report } from "./report.ts";

const nodes = 2_000;
const calls = 3_000;
const rounds = 5;
/** How many messages arrive together. */
const batch = 50;

const organization = new TestOrganization();
const trust = { issuers: organization.issuers };
const by = await organization.chainIssuer("aaa");

/** A network whose nodes all answer at once, as soon as a request has left. */
class EmulatedNetwork {
  readonly identities: readonly string[];
  /** When the first reply arrived, in milliseconds. */
  start = 0;
  readonly #members: readonly Member[];
  readonly #handlers = new Map<string, (message: object) => void>();
  #request: Uint8Array | undefined;

  constructor(members: ReadonlyMap<string, Member>) {
    this.identities = [...members.keys()];
    this.#members = [...members.values()];
  }

  get connection(): Connection {
    const network = {
      server: "nats://broker.example.net:4222",
      nats: { async *status() {} },
      closed: new Promise(() => {}),
      publish: (_subject: string, data: Uint8Array) => {
        this.#request = data;
      },
      subscribe: (subject: string, handler: (message: object) => void) => {
        this.#handlers.set(subject, handler);
        return { unsubscribe: () => this.#handlers.delete(subject) };
      },
      flush: () => this.#answer(),
      close: async () => {},
    };
    return network as unknown as Connection;
  }

  async #answer(): Promise<void> {
    if (this.#request === undefined) throw new Error("Nothing was sent");
    const { reply: subject = "", data } = decodeTransport(this.#request);
    const { id, agent } = decodeRequest(decodeSecureRequest(data).request);
    const answers = this.#members.map((member, i) => answer(member, this.identities[i] ?? "", id, agent));
    this.start = performance.now();
    for (let i = 0; i < answers.length; i += batch) {
      for (const data of answers.slice(i, i + batch)) this.#handlers.get(subject)?.({ data, subject });
      await new Promise(setImmediate);
    }
  }
}

function answer(member: Member, identity: string, request: string, agent: string): Uint8Array {
  const data = { pong: Math.floor(Date.now() / 1_000) };
  const message = encodeRpcReply({ action: "ping", statuscode: 0, statusmsg: "OK", data });
  const time = BigInt(Date.now()) * 1_000_000n;
  const reply = encodeReply({ message, request, sender: identity, agent, time });
  return encodeTransport({ data: encodeSecureReply(signReply(reply, member)), sender: identity });
}

async function measureReplies(): Promise<void> {
  const members = new Map<string, Member>();
  for (let i = 0; i < nodes; i++) {
    const identity = `node${i}.example.net`;
    members.set(identity, await organization.server({ identity, collectives: ["choria"] }, { by }));
  }
  const caller = await organization.client({ callerid: "up=x", permissions: { fleet_management: true } });
  const network = new EmulatedNetwork(members);
  const claims = decodeTokenUnverified(caller.token);
  await using fleet = new Fleet({
    config: configFrom({ identity: "client.example.net" }),
    connection: network.connection,
    caller: "up=x",
    credentials: () => ({ ...caller, claims, holder: "up=x" }),
    sender: "client.example.net",
    verifier: new ReplyVerifier(trust, new TokenVerifier(systemClock, nodes)),
    resolvers: [builtinResolver],
    clock: systemClock,
    logger: silentLogger,
    ending: new AbortController(),
    signal: new AbortController().signal,
  });
  const rates: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const replies = await fleet.request("rpcutil", "ping", {}, { nodes: network.identities }).all();
    if (replies.filter(({ ok }) => ok).length !== nodes) throw new Error(`Only ${replies.length} replies arrived`);
    rates.push((nodes * 1_000) / (performance.now() - network.start));
  }
  const [first = 0, ...others] = rates;
  report({ work: `replies of ${nodes} nodes whose tokens are new`, value: first, unit: "a second" });
  report({ work: `replies of ${nodes} nodes that are known`, value: median(others), unit: "a second" });
}

async function measureRequests(): Promise<void> {
  const caller = await organization.client({ callerid: "up=x", permissions: { fleet_management: true } }, { by });
  const server = await organization.server({ identity: "n1.example.net", collectives: ["choria"] });
  const payload = encodeRpcReply({ action: "run", statuscode: 0, statusmsg: "OK", data: {} });
  const connection = new FakeConnection();
  await using host = new AgentHost({
    connection,
    identity: "n1.example.net",
    collectives: ["choria"],
    agents: [agentOf(async () => payload)],
    verifier: new RequestVerifier(trust, new TokenVerifier(systemClock)),
    credentials: () => server,
    replay: new ReplayGuard(),
    clock: systemClock,
    logger: silentLogger,
  });
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const messages = await Promise.all(Array.from({ length: calls }, () => call(caller)));
    const start = performance.now();
    for (const message of messages) await host.handle(message);
    rates.push((calls * 1_000) / (performance.now() - start));
  }
  if (connection.published.length !== rounds * calls) throw new Error("Not every request was answered");
  report({ work: "requests verified, answered and signed by one server", value: median(rates), unit: "a second" });
}

await measureReplies();
await measureRequests();
