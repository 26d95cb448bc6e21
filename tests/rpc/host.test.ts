import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeSecureRequest,
  decodeTransport,
  encodeRpcReply,
  encodeSecureRequest,
  encodeTransport,
} from "../../lib/protocol/mod.ts";
import { AgentHost, type AgentHostOptions, rpcAgent } from "../../lib/rpc/mod.ts";
import { ReplayGuard, ReplyVerifier, RequestVerifier } from "../../lib/security/mod.ts";
import { decodeUtf8, encodeUtf8, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { TokenVerifier } from "../../lib/tokens/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { agentOf, call, FakeConnection } from "./support/host.ts";

const organization = new TestOrganization();
const trust = { issuers: organization.issuers };
let caller: Member;
let server: Member;
let connection: FakeConnection;
const hosts: AgentHost[] = [];

beforeAll(async () => {
  caller = await organization.client({ callerid: "up=bob", permissions: { fleet_management: true } });
  server = await organization.server({ identity: "n1.example.net", collectives: ["choria"], permissions: {} });
});

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop(0);
});

const pong = agentOf(async ({ request }) =>
  encodeRpcReply({ action: "run", statuscode: 0, statusmsg: "OK", data: { caller: request.caller } }),
);

function startHost(options: Partial<AgentHostOptions> = {}): AgentHost {
  connection = new FakeConnection();
  const host = new AgentHost({
    connection,
    identity: "n1.example.net",
    collectives: ["choria"],
    agents: [pong],
    verifier: new RequestVerifier(trust, new TokenVerifier(systemClock)),
    credentials: () => server,
    replay: new ReplayGuard(),
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  hosts.push(host);
  return host;
}

describe("a request that is believed", () => {
  test("is answered to the transport's reply subject with a reply that verifies in full", async () => {
    const host = startHost();
    await host.handle(await call(caller, { id: "one" }));
    const [answer] = connection.replies();
    expect(answer?.subject).toBe("choria.reply.x.one");
    const verified = await new ReplyVerifier(trust, new TokenVerifier(systemClock)).verify(must(answer).secure, "one");
    expect(verified).toMatchObject({ sender: "n1.example.net", agent: "probe", request: "one" });
    expect(connection.rpcReplies()).toEqual([
      { action: "run", statuscode: 0, statusmsg: "OK", data: { caller: "up=bob" } },
    ]);
  });

  test("leaves the host's own hop, and only that, on the reply's trace", async () => {
    const host = startHost();
    await host.handle(await call(caller, { transport: { trace: [["a", "b", "c"]] } }));
    const { server: broker } = connection;
    expect(connection.replies()[0]?.transport).toMatchObject({
      sender: "n1.example.net",
      trace: [[broker, "n1.example.net", broker]],
    });
    expect(connection.replies()[0]?.transport.federation).toBeUndefined();
  });

  test("gets its federation headers and hops back when it was federated", async () => {
    const host = startHost();
    const federation = { request: "f1", reply: "far.reply", targets: ["choria.node.n1"] };
    await host.handle(await call(caller, { transport: { federation, trace: [["a", "b", "c"]] } }));
    const { server: broker } = connection;
    expect(connection.replies()[0]?.transport).toMatchObject({
      federation,
      trace: [
        ["a", "b", "c"],
        [broker, "n1.example.net", broker],
      ],
    });
  });

  test("counts as total, passed, valid and replied", async () => {
    const clock = new FakeClock(organization.now);
    const host = startHost({ clock });
    await host.handle(await call(caller, { now: clock.now() }));
    expect(host.stats).toMatchObject({ total: 1, passed: 1, valid: 1, replies: 1, invalid: 0, filtered: 0 });
    expect(host.stats.lastMessage).toBe(Math.floor(clock.now() / 1_000));
  });

  test("hands the agent the caller's claims and token", async () => {
    const seen: unknown[] = [];
    const host = startHost({
      agents: [
        agentOf(async (message) => {
          seen.push(message.caller?.callerid, message.callerToken);
          return undefined;
        }),
      ],
    });
    await host.handle(await call(caller));
    expect(seen).toEqual(["up=bob", caller.token]);
    expect(connection.published).toEqual([]);
  });
});

describe("a payload", () => {
  const echo = agentOf(async ({ payload }) => payload);

  test("loses a second layer of base64", async () => {
    const host = startHost({ agents: [echo] });
    await host.handle(await call(caller, { payload: "cGluZw==" }));
    expect(decodeUtf8(must(connection.replies()[0]).reply.message)).toBe("ping");
  });

  test("that is base64 by accident is decoded too, as ever", async () => {
    const host = startHost({ agents: [echo] });
    await host.handle(await call(caller, { payload: "ping" }));
    expect([...must(connection.replies()[0]).reply.message]).toEqual([0xa6, 0x29, 0xe0]);
  });

  test("that is no base64 stays as it is", async () => {
    const host = startHost({ agents: [echo] });
    await host.handle(await call(caller, { payload: "not base64!" }));
    expect(decodeUtf8(must(connection.replies()[0]).reply.message)).toBe("not base64!");
  });
});

describe("a request is dropped without a reply", () => {
  const cases: { name: string; options: Parameters<typeof call>[1]; counter: "invalid" | "filtered" | "ttlexpired" }[] =
    [
      { name: "for another collective", options: { collective: "other" }, counter: "invalid" },
      { name: "whose filter does not match", options: { filter: { identity: ["n2"] } }, counter: "filtered" },
      { name: "that is too old", options: { now: Date.now() - 61_000 }, counter: "ttlexpired" },
      { name: "from the future", options: { now: Date.now() + 65_000 }, counter: "ttlexpired" },
    ];
  for (const { name, options, counter } of cases) {
    test(name, async () => {
      const host = startHost();
      await host.handle(await call(caller, options));
      expect(host.stats).toMatchObject({ total: 1, [counter]: 1, valid: 0, replies: 0 });
      expect(connection.published).toEqual([]);
    });
  }

  test("whose signature does not hold", async () => {
    const stranger = await new TestOrganization().client({
      callerid: "up=bob",
      permissions: { fleet_management: true },
    });
    const host = startHost();
    await host.handle(await call({ ...stranger, token: caller.token }));
    expect(host.stats).toMatchObject({ invalid: 1, valid: 0 });
    expect(connection.published).toEqual([]);
  });

  test("from somebody without fleet access", async () => {
    const guest = await organization.client({ callerid: "up=guest", permissions: {} });
    const host = startHost();
    await host.handle(await call(guest));
    expect(host.stats).toMatchObject({ invalid: 1, valid: 0 });
  });

  test("for an agent that is not here", async () => {
    const host = startHost();
    await host.handle(await call(caller, { agent: "absent" }));
    expect(host.stats).toMatchObject({ valid: 1, replies: 0 });
  });

  test("when it says nothing usable about where to reply", async () => {
    const host = startHost();
    for (const reply of ["", "a b", "a.*", "a.>", "x\r\nPUB y 0", "a..b"]) {
      await host.handle(await call(caller, { transport: { reply } }));
    }
    expect(host.stats).toMatchObject({ valid: 6, replies: 0 });
    expect(connection.published).toEqual([]);
  });

  test("when the filter cannot be evaluated", async () => {
    const host = startHost({
      matches: () => {
        throw new Error("no facts");
      },
    });
    await host.handle(await call(caller, { filter: { cf_class: ["web"] } }));
    expect(host.stats).toMatchObject({ filtered: 1, valid: 0 });
  });

  test("when it is longer than the limit", async () => {
    const host = startHost({ maxMessageBytes: 100 });
    await host.handle(await call(caller));
    expect(host.stats).toMatchObject({ total: 1, invalid: 1 });
  });
});

describe("a request that was seen before", () => {
  test("is refused and counted", async () => {
    const host = startHost();
    const message = await call(caller);
    await host.handle(message);
    await host.handle(message);
    expect(host.stats).toMatchObject({ total: 2, valid: 1, replayed: 1, replies: 1 });
  });

  test("does not use up the id for another caller", async () => {
    const other = await organization.client({ callerid: "up=eve", permissions: { fleet_management: true } });
    const host = startHost();
    await host.handle(await call(other, { id: "same" }));
    await host.handle(await call(caller, { id: "same" }));
    expect(host.stats).toMatchObject({ valid: 2, replayed: 0 });
  });

  test("does not use up the id when it did not verify", async () => {
    const host = startHost();
    const message = await call(caller, { id: "mine" });
    const forged = await call(
      { ...(await organization.client({ callerid: "x" })), token: caller.token },
      { id: "mine" },
    );
    await host.handle(forged);
    await host.handle(message);
    expect(host.stats).toMatchObject({ invalid: 1, valid: 1, replayed: 0 });
  });

  test("is let in where no guard is set", async () => {
    const bare = new AgentHost({
      connection: new FakeConnection(),
      identity: "n1",
      collectives: ["choria"],
      agents: [pong],
      clock: systemClock,
      logger: silentLogger,
    });
    const message = await call(caller);
    await bare.handle(message);
    await bare.handle(message);
    expect(bare.stats).toMatchObject({ valid: 2, replayed: 0 });
  });
});

describe("an agent that takes too long", () => {
  const never = agentOf(
    (_message, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    { timeout: 3 },
  );

  test("is aborted, and its caller gets status 5", async () => {
    const clock = new FakeClock(organization.now);
    const host = startHost({ agents: [never], clock });
    const handled = host.handle(await call(caller, { now: clock.now() }));
    await waitFor("the call to run", () => clock.pending === 1);
    await clock.advance(3_000);
    await handled;
    expect(connection.rpcReplies()).toEqual([
      { action: "run", statuscode: 5, statusmsg: "probe#run timed out after 3s", data: {} },
    ]);
  });

  test("sends nothing when the message was no RPC call", async () => {
    const clock = new FakeClock(organization.now);
    const host = startHost({ agents: [never], clock });
    const handled = host.handle(await call(caller, { payload: "cGluZw==", now: clock.now() }));
    await waitFor("the call to run", () => clock.pending === 1);
    await clock.advance(3_000);
    await handled;
    expect(connection.published).toEqual([]);
  });

  test("answers once even when it ends later", async () => {
    const clock = new FakeClock(organization.now);
    const late = Promise.withResolvers<Uint8Array>();
    const host = startHost({ agents: [agentOf(() => late.promise)], clock });
    const handled = host.handle(await call(caller, { now: clock.now() }));
    await waitFor("the call to run", () => clock.pending === 1);
    await clock.advance(2_000);
    await handled;
    late.resolve(encodeUtf8("late"));
    await Promise.resolve();
    expect(connection.published).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

test("an agent that throws gives its caller status 5", async () => {
  const host = startHost({
    agents: [
      agentOf(async () => {
        throw new Error("broken");
      }),
    ],
  });
  await host.handle(await call(caller));
  expect(connection.rpcReplies()).toEqual([
    { action: "run", statuscode: 5, statusmsg: "probe#run failed: broken", data: {} },
  ]);
});

test("a reply that cannot be signed is not sent", async () => {
  const host = startHost({
    credentials: () => {
      throw new Error("the token is expired");
    },
  });
  await host.handle(await call(caller));
  expect(host.stats).toMatchObject({ valid: 1, replies: 0 });
  expect(connection.published).toEqual([]);
});

describe("without a verifier", () => {
  test("requests are taken as they are and replies are not signed", async () => {
    connection = new FakeConnection();
    const host = new AgentHost({
      connection,
      identity: "n1",
      collectives: ["provisioning"],
      agents: [agentOf(async ({ caller: claims }) => encodeUtf8(String(claims)))],
      clock: systemClock,
      logger: silentLogger,
    });
    hosts.push(host);
    const stranger = await new TestOrganization().client({ callerid: "provisioner", permissions: {} });
    await host.handle(await call(stranger, { collective: "provisioning" }));
    const [answer] = connection.replies();
    expect(answer?.secure.signature).toBeUndefined();
    expect(answer?.secure.sender).toBeUndefined();
    expect(decodeUtf8(must(answer).reply.message)).toBe("undefined");
  });
});

describe("subscriptions", () => {
  const service = agentOf(async () => undefined, { name: "registry", service: true });

  test("are the node's subject and each agent's broadcast subject in every collective", () => {
    startHost({ collectives: ["choria", "dev"] });
    expect(connection.subscribed).toEqual([
      { subject: "choria.broadcast.agent.probe", queue: undefined },
      { subject: "dev.broadcast.agent.probe", queue: undefined },
      { subject: "choria.node.n1.example.net", queue: undefined },
      { subject: "dev.node.n1.example.net", queue: undefined },
    ]);
  });

  test("of service agents share a queue of the agent's name", () => {
    startHost({ agents: [service] });
    expect(connection.subscribed[0]).toEqual({ subject: "choria.broadcast.service.registry", queue: "registry" });
  });

  test("of a service host are those of services alone", () => {
    const host = startHost({ agents: [service], serviceOnly: true });
    expect(connection.subscribed).toHaveLength(1);
    expect(() => host.add(pong)).toThrow("Denying non Service Agent probe");
  });

  test("end when an agent is removed and when the host stops", async () => {
    const host = startHost({ agents: [pong, service] });
    expect(host.remove("registry")).toBe(true);
    expect(host.remove("registry")).toBe(false);
    expect(host.agents().map(({ name }) => name)).toEqual(["probe"]);
    await host.stop();
    await host.stop();
    expect(connection.subscribed).toEqual([]);
    await host.handle(await call(caller));
    expect(host.stats.total).toBe(0);
  });

  test("are refused to agents that cannot be hosted", () => {
    const host = startHost();
    expect(() => host.add(pong)).toThrow('Cannot host the agent "probe": there is one of that name');
    expect(() => host.add(agentOf(async () => undefined, { name: "" }))).toThrow("its name must be");
    expect(() => host.add(agentOf(async () => undefined, { name: "a.>" }))).toThrow("its name must be");
    expect(() => host.add(agentOf(async () => undefined, { name: "x", timeout: 0 }))).toThrow("1 second or more");
  });
});

test("messages beyond the limit of those in flight are dropped and counted", async () => {
  const gate = Promise.withResolvers<Uint8Array>();
  const host = startHost({ agents: [agentOf(() => gate.promise)], maxInFlight: 2 });
  const messages = await Promise.all([call(caller), call(caller), call(caller)]);
  const handled = messages.map((message) => host.handle(message));
  expect(host.inFlight).toBe(2);
  gate.resolve(encodeUtf8("done"));
  await Promise.all(handled);
  expect(host.stats).toMatchObject({ total: 3, dropped: 1, replies: 2 });
  expect(host.inFlight).toBe(0);
});

test("stopping waits for calls that run, and aborts them when the grace is over", async () => {
  const aborted = Promise.withResolvers<void>();
  const stuck = agentOf((_message, signal) => {
    signal.addEventListener("abort", () => aborted.resolve());
    return new Promise(() => undefined);
  });
  const host = startHost({ agents: [stuck] });
  void host.handle(await call(caller));
  await waitFor("the call to run", () => host.stats.valid === 1);
  await host.stop(5);
  await aborted.promise;
});

describe("whatever arrives", () => {
  test("bytes of any kind neither throw nor are answered", async () => {
    const host = startHost();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        count++;
        await host.handle(bytes);
        return connection.published.length === 0;
      }),
      { numRuns: 1_000 },
    );
    expect(host.stats).toMatchObject({ total: count, invalid: count });
  });

  test("JSON of any kind neither throws nor is answered", async () => {
    const host = startHost();
    const transport = fc.record(
      {
        protocol: fc.constant("io.choria.protocol.v2.transport"),
        data: fc.oneof(
          fc.json().map((text) => Buffer.from(text).toString("base64")),
          fc.jsonValue(),
        ),
        headers: fc.jsonValue(),
      },
      { requiredKeys: ["protocol"] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(transport, fc.jsonValue()), async (value) => {
        await host.handle(encodeUtf8(JSON.stringify(value)));
        return connection.published.length === 0;
      }),
      { numRuns: 1_000 },
    );
  });

  test("a good message with any one byte changed is never answered twice, and never throws", async () => {
    const host = startHost();
    const good = await call(caller);
    const mutation = fc.record({ at: fc.nat(good.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ at, byte }) => {
        const bad = good.slice();
        bad[at] = byte;
        await host.handle(bad);
        // The headers are not signed, so a change there may leave the request good: once.
        return connection.published.length <= 1;
      }),
      { numRuns: 2_000 },
    );
  });

  test("a signed request with any one bit changed is never acted on", async () => {
    const host = startHost();
    const good = decodeTransport(await call(caller));
    const secure = decodeSecureRequest(good.data);
    const mutation = fc.record({ at: fc.nat(secure.request.length - 1), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ at, bit }) => {
        const request = secure.request.slice();
        request[at] = (request[at] ?? 0) ^ (1 << bit);
        await host.handle(encodeTransport({ ...good, data: encodeSecureRequest({ ...secure, request }) }));
        return host.stats.valid === 0;
      }),
      { numRuns: 2_000 },
    );
    expect(connection.published).toEqual([]);
  });
});

test("tokens never reach the log", async () => {
  const lines: string[] = [];
  const record = (message: string, fields?: object) => void lines.push(message + JSON.stringify(fields));
  const logger = { debug: record, info: record, warn: record, error: record, child: () => logger };
  const host = startHost({
    logger,
    agents: [
      rpcAgent(pong.metadata, {}, { logger, authorizer: { authorize: () => ({ allowed: false, reason: "no" }) } }),
    ],
  });
  const expired = await organization.client({ callerid: "up=old", permissions: {} }, { validity: -60_000 });
  await host.handle(await call(expired));
  await host.handle(await call(caller));
  await host.handle(encodeUtf8(caller.token));
  await host.handle(await call(caller, { collective: "other" }));
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line).not.toMatch(/eyJ[\w-]+\.[\w-]+\./);
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("Expected a reply");
  return value;
}
