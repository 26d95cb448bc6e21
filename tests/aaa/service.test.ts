import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { signerAgent, signerMetadata } from "../../lib/aaa/mod.ts";
import { decodeRpcReply, decodeSecureReply, decodeTransport } from "../../lib/protocol/mod.ts";
import { AgentHost } from "../../lib/rpc/mod.ts";
import { HeldCredentials, ReplyVerifier } from "../../lib/security/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { TokenVerifier } from "../../lib/tokens/mod.ts";
import wire from "../fixtures/aaa/wire_sign_service.json";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { fixture, type VectorServices, vectorConfig, vectorServices, writePolicies } from "./_vectors.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const now = 1_795_322_265_900;
let services: VectorServices;
beforeAll(async () => {
  writePolicies(folder.path);
  services = await vectorServices(vectorConfig(folder.path), { now });
});

/** A host of the service as the original runs it, and what it publishes. */
function host() {
  const clock = new FakeClock(now);
  const published: { subject: string; data: Uint8Array }[] = [];
  const subscribed: [string, string | undefined][] = [];
  const files = { tokenFile: fixture("creds/service.jwt"), seedFile: fixture("creds/service.seed") };
  const credentials = new HeldCredentials(files, clock);
  const made = new AgentHost({
    connection: {
      server: "nats://127.0.0.1:24731",
      publish: (subject, data) => void published.push({ subject, data }),
      subscribe(subject, _, queue) {
        subscribed.push([subject, queue]);
        return { unsubscribe() {} } as never;
      },
    },
    identity: credentials.current().holder,
    collectives: ["choria"],
    agents: [signerAgent(services.signer, silentLogger)],
    credentials: () => credentials.current(),
    serviceOnly: true,
    clock,
    logger: silentLogger,
  });
  return { made, published, subscribed, clock };
}

async function exchange(index: number) {
  const { made, published, clock } = host();
  const [asked, answered] = [wire.messages[index], wire.messages[index + 1]];
  await made.handle(Buffer.from(asked?.raw_transport ?? ""));
  const [sent] = published;
  const transport = decodeTransport(sent?.data ?? new Uint8Array());
  const issuer = readFileSync(fixture("creds/issuer.public"), "utf8").trim();
  const verifier = new ReplyVerifier({ issuers: new Map([["choria", issuer]]) }, new TokenVerifier(clock));
  const reply = await verifier.verify(decodeSecureReply(transport.data), asked?.body.id);
  return { subject: sent?.subject, transport, reply, answered, payload: decodeRpcReply(reply.message) };
}

describe("the aaa_signer service", () => {
  test("is a service of ten seconds that shares its subject", () => {
    expect(signerMetadata).toMatchObject({ name: "aaa_signer", license: "Apache-2.0", timeout: 10, service: true });
    expect(host().subscribed).toEqual([["choria.broadcast.service.aaa_signer", "aaa_signer"]]);
  });

  test("answers a captured call with the very bytes of the original", async () => {
    const { subject, transport, reply, answered, payload } = await exchange(0);
    expect(subject).toBe(answered?.subject);
    expect(transport.sender).toBe("aaa.choria.local");
    expect(transport.trace).toEqual([["nats://127.0.0.1:24731", "aaa.choria.local", "nats://127.0.0.1:24731"]]);
    expect(reply).toMatchObject({ sender: "aaa.choria.local", agent: "aaa_signer" });
    expect(Buffer.from(reply.message).toString()).toBe(Buffer.from(answered?.body.message ?? "", "base64").toString());
    expect(payload.statuscode).toBe(0);
  });

  test("refuses a captured call as the original does, and says why", async () => {
    const { answered, payload } = await exchange(4);
    const original = decodeRpcReply(Buffer.from(answered?.body.message ?? "", "base64"));
    expect(payload.statuscode).toBe(original.statuscode);
    expect(payload.data).toEqual(original.data);
    expect(payload.statusmsg).toStartWith(`${original.statusmsg}: the policy in the opa_policy claim does not allow `);
    expect(payload.statusmsg).toContain('input.agent != "choria_provision"');
  });
});

describe("its action", () => {
  test.each([{ token: 5 }, { request: ["x"] }, { signature: {} }])("complains of %j", async (data) => {
    const agent = signerAgent(services.signer, silentLogger);
    const payload = Buffer.from(JSON.stringify({ agent: "aaa_signer", action: "sign", data }));
    const reply = await agent.handle({ request: {} as never, payload }, new AbortController().signal);
    const [name] = Object.keys(data);
    expect(decodeRpcReply(reply ?? new Uint8Array())).toMatchObject({
      statuscode: 4,
      statusmsg: `Could not parse request data for aaa_signer#sign: the field ${name} must be a string`,
    });
  });
});
