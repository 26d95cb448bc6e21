import { configFrom } from "../../../lib/config/mod.ts";
import { type Connection, connectBroker } from "../../../lib/connector/mod.ts";
import {
  decodeRpcReply,
  decodeSecureReply,
  decodeTransport,
  emptyFilter,
  encodeRequest,
  encodeSecureRequest,
  encodeTransport,
  type Filter,
  newRequest,
  type RpcReply,
  subjects,
} from "../../../lib/protocol/mod.ts";
import { ReplyVerifier, signRequest } from "../../../lib/security/mod.ts";
import { type ServerHandle, type ServerOptions, startServer } from "../../../lib/server/mod.ts";
import { decodeUtf8, newKsuid, silentLogger, systemClock } from "../../../lib/std/mod.ts";
import { decodeTokenUnverified, holderOf, TokenVerifier } from "../../../lib/tokens/mod.ts";
import type { Member, TestOrganization } from "../../support/organization.ts";
import { waitFor } from "../../support/wait.ts";

/** Where a server of a test finds its broker, and whether in the clear. */
export interface Network {
  address: string;
  organization: TestOrganization;
  /** Folder for credentials. */
  file: (name: string) => string;
  /** In the clear, for brokers that are plain NATS servers. */
  isPlain?: boolean;
}

/** Settings of a server of a test; its token and seed are written to the folder. */
export async function serverSettings(
  network: Network,
  identity: string,
  settings: Readonly<Record<string, string>> = {},
  validity = 3_600_000,
): Promise<Record<string, string>> {
  const { organization, address, file } = network;
  const member = await organization.server(
    { identity, collectives: ["choria"], permissions: { service_host: true } },
    { validity },
  );
  const { tokenFile, seedFile } = member.save(file(identity));
  return {
    identity,
    rpcauthorization: "0",
    "plugin.security.provider": "choria",
    "plugin.security.choria.token_file": tokenFile,
    "plugin.security.choria.seed_file": seedFile,
    "plugin.security.issuer.names": "choria",
    "plugin.security.issuer.choria.public": organization.issuer.publicKey,
    "plugin.choria.middleware_hosts": address,
    ...settings,
  };
}

/** Start a server of a test. */
export async function startTestServer(
  network: Network,
  identity: string,
  settings: Readonly<Record<string, string>> = {},
  options: Partial<ServerOptions> = {},
): Promise<ServerHandle> {
  const config = configFrom(await serverSettings(network, identity, settings), network.file("server.conf"));
  return startServer({ config, logger: silentLogger, ...(network.isPlain ? { tls: false } : {}), ...options });
}

/** An answer as a client sees it. */
export interface Answer {
  sender: string;
  /** The reply's payload as text. */
  text: string;
}

/** A client of a test's own: signs requests and verifies replies in full. */
export class TestClient implements AsyncDisposable {
  readonly connection: Connection;
  readonly #member: Member;
  readonly #callerid: string;
  readonly #verifier: ReplyVerifier;

  /** Connect as a member. */
  static async connect(network: Network, member: Member): Promise<TestClient> {
    const callerid = holderOf(decodeTokenUnverified(member.token)) ?? "";
    const connection = await connectBroker({
      servers: [network.address],
      name: callerid,
      login: () => ({ token: member.token, key: member.key }),
      inboxPrefix: subjects.inbox("choria", callerid),
      logger: silentLogger,
      attempts: 3,
      ...(network.isPlain ? { tls: false } : {}),
    });
    const trust = { issuers: network.organization.issuers };
    return new TestClient(connection, member, callerid, new ReplyVerifier(trust, new TokenVerifier(systemClock)));
  }

  private constructor(connection: Connection, member: Member, callerid: string, verifier: ReplyVerifier) {
    this.connection = connection;
    this.#member = member;
    this.#callerid = callerid;
    this.#verifier = verifier;
  }

  /**
   * Send a request and wait for as many verified answers.
   *
   * @param options.to Identity of one server; every server that hosts the agent by default.
   */
  async request(
    agent: string,
    payload: string,
    options: { expect: number; to?: string; filter?: Partial<Filter>; service?: boolean; timeout?: number },
  ): Promise<Answer[]> {
    const id = newKsuid();
    const answers: Answer[] = [];
    const reply = subjects.reply("choria", this.#callerid, id);
    const subscription = this.connection.subscribe(reply, async ({ data }) => {
      const verified = await this.#verifier.verify(decodeSecureReply(decodeTransport(data).data), id);
      answers.push({ sender: verified.sender, text: decodeUtf8(verified.message) });
    });
    try {
      this.connection.publish(
        this.#subject(agent, options),
        await this.#message(agent, payload, id, reply, options.filter),
      );
      await waitFor(`${options.expect} answers of ${agent}`, () => answers.length >= options.expect, options.timeout);
    } finally {
      subscription.unsubscribe();
    }
    return answers.sort((a, b) => (a.sender < b.sender ? -1 : 1));
  }

  /** Call an action of an agent on one server. */
  async call(to: string, agent: string, action: string, data: object = {}): Promise<RpcReply> {
    const payload = JSON.stringify({ agent, action, data });
    const [answer] = await this.request(agent, payload, { expect: 1, to });
    return decodeRpcReply(new TextEncoder().encode(answer?.text));
  }

  /** Leave the broker. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }

  #subject(agent: string, { to, service }: { to?: string; service?: boolean }): string {
    if (to !== undefined) return subjects.node("choria", to);
    return service ? subjects.service("choria", agent) : subjects.broadcast("choria", agent);
  }

  async #message(agent: string, payload: string, id: string, reply: string, filter: Partial<Filter> = {}) {
    const request = newRequest({
      id,
      message: new TextEncoder().encode(payload),
      sender: "client.example.net",
      caller: this.#callerid,
      collective: "choria",
      agent,
      ttl: 60,
      filter: { ...emptyFilter(), ...filter },
    });
    const { token, key } = this.#member;
    const credentials = { token, key, claims: decodeTokenUnverified(token), holder: this.#callerid };
    const secure = await signRequest(encodeRequest(request), request, credentials);
    return encodeTransport({ data: encodeSecureRequest(secure), sender: request.sender, reply });
  }
}
