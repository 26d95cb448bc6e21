import { describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { ReconnectPace } from "../../lib/connector/_dial.ts";
import { Outbox } from "../../lib/connector/_outbox.ts";
import { type Connection, type ConnectOptions, connectBroker, fileLogin, type Login } from "../../lib/connector/mod.ts";
import { decodeBase64Url, selfSignedCertificate, verifySignature } from "../../lib/crypto/mod.ts";
import { type Clock, encodeUtf8, silentLogger, systemClock } from "../../lib/std/mod.ts";
import captured from "../fixtures/tokens-and-protocol/nats-connect.json";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";
import { keyNamed, thrownBy, tokenNamed } from "../tokens/_vectors.ts";

const quick = [20];

function open(server: string | string[], options: Partial<ConnectOptions> = {}): Promise<Connection> {
  return connectBroker({
    servers: [server].flat(),
    name: "test",
    login: () => ({}),
    inboxPrefix: "choria.reply.test",
    logger: silentLogger,
    tls: false,
    timeout: 3_000,
    reconnectSteps: quick,
    ...options,
  });
}

const requiresToken = (token: string) => `authorization { token: "${token}" }`;

/** Collects the texts that arrive on a subject. */
function collect(connection: Connection, subject: string): string[] {
  const got: string[] = [];
  connection.subscribe(subject, (message) => {
    got.push(message.string());
  });
  return got;
}

describe("CONNECT", () => {
  /** A server that sends an INFO of our choosing and keeps the CONNECT it is answered with. */
  async function connectLine(nonce: string, login: Login): Promise<Record<string, unknown>> {
    const line = Promise.withResolvers<string>();
    const server: Server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write(
        `INFO ${JSON.stringify({ version: "2.15.1", headers: true, proto: 1, nonce, max_payload: 1e6 })}\r\n`,
      );
      socket.on("data", (data) => {
        line.resolve(data.toString().split("\r\n")[0] ?? "");
        socket.write("PONG\r\n");
      });
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const connection = await open(`127.0.0.1:${port}`, { login: () => login, name: "up=bob-publisher" });
    const text = await line.promise;
    await connection.nats.close();
    server.close();
    return JSON.parse(text.replace(/^CONNECT /, ""));
  }

  const logins: Login[] = [
    { token: tokenNamed("client_direct"), key: keyNamed("bob") },
    { token: tokenNamed("server_direct"), key: keyNamed("node1") },
    {
      token: tokenNamed("chain_issuer_provisioner"),
      key: keyNamed("provisioner"),
      user: "provisioner",
      password: "s3cret",
    },
  ];

  test.each(captured.captures.map((capture, i) => [capture.note, capture, logins[i] ?? {}] as const))(
    "of a %s shows what the original shows",
    async (_note, capture, login) => {
      const theirs = JSON.parse(capture.connect_line.replace(/^CONNECT /, ""));
      const ours = await connectLine(capture.server_info_nonce, login);
      for (const field of ["jwt", "sig", "auth_token", "user", "pass", "headers", "no_responders", "protocol"]) {
        expect(ours[field], field).toEqual(theirs[field]);
      }
      const signature = decodeBase64Url(String(theirs.sig)) ?? new Uint8Array();
      const nonce = encodeUtf8(capture.server_info_nonce);
      expect(verifySignature(login.key?.publicKey ?? "", nonce, signature)).toBe(true);
    },
  );

  test("of an unprovisioned node shows the token alone", async () => {
    const fields = await connectLine("abc", { token: tokenNamed("provisioning") });
    expect(fields.auth_token).toBe(tokenNamed("provisioning"));
    expect([fields.jwt, fields.sig, fields.user]).toEqual([undefined, undefined, undefined]);
  });
});

describe("a connection", () => {
  test("carries messages, also shared among the subscribers of a queue", async () => {
    await using broker = await startNats();
    await using connection = await open(broker.address);
    expect(connection.server).toBe(`nats://${broker.address}`);
    const all = collect(connection, "a.>");
    const counts = [0, 0];
    for (const i of [0, 1]) connection.subscribe("q", () => void counts.splice(i, 1, (counts[i] ?? 0) + 1), "queue");
    connection.publish("a.b", encodeUtf8("hello"));
    for (let i = 0; i < 50; i++) connection.publish("q", encodeUtf8("x"));
    await connection.flush();
    await waitFor("all messages", () => all.length === 1 && (counts[0] ?? 0) + (counts[1] ?? 0) === 50);
    expect(all).toEqual(["hello"]);
  });

  test("outlives handlers that throw or reject", async () => {
    await using broker = await startNats();
    const logger = new RecordingLogger();
    await using connection = await open(broker.address, { logger });
    connection.subscribe("bad", () => {
      throw new Error("thrown");
    });
    connection.subscribe("bad", () => Promise.reject(new Error("rejected")));
    const good = collect(connection, "bad");
    connection.publish("bad", encodeUtf8("x"));
    await waitFor("both errors", () => logger.lines.filter(({ level }) => level === "error").length === 2);
    expect(logger.lines.map(({ fields }) => fields.reason)).toEqual(expect.arrayContaining(["thrown", "rejected"]));
    expect(good).toEqual(["x"]);
  });

  test("outlives a listener that throws", async () => {
    await using broker = await startNats();
    const onState = () => {
      throw new Error("listener");
    };
    await using connection = await open(broker.address, { onState });
    await connection.flush();
    expect(connection.nats.isClosed()).toBe(false);
  });

  test("closes once, tells so, and says what it had to say before", async () => {
    await using broker = await startNats();
    await using observer = await open(broker.address);
    const got = collect(observer, "last");
    await observer.flush();
    const states: string[] = [];
    const connection = await open(broker.address, { onState: (state) => states.push(state) });
    connection.publish("last", encodeUtf8("words"));
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    expect(await connection.closed).toBeUndefined();
    await waitFor("the last words", () => got.length === 1);
    await waitFor("the end to be told", () => states.at(-1) === "closed");
    expect(states).toEqual(["connected", "closed"]);
    expect(connection.server).toBe("");
  });

  test("comes back after the broker was killed, with its subscriptions and what was sent meanwhile", async () => {
    const port = await freePort();
    const states: string[] = [];
    let broker: TestNats = await startNats("", { port });
    await using connection = await open(broker.address, { onState: (state) => states.push(state) });
    const got = collect(connection, "subject");
    for (const round of [1, 2, 3]) {
      await broker[Symbol.asyncDispose]();
      await waitFor("the loss to be noticed", () => connection.server === "");
      connection.publish("subject", encodeUtf8(`while away ${round}`));
      broker = await startNats("", { port });
      await waitFor("the connection to come back", () => connection.server !== "");
      connection.publish("subject", encodeUtf8(`back ${round}`));
      await waitFor("messages to arrive", () => got.includes(`back ${round}`) && got.includes(`while away ${round}`));
    }
    await broker[Symbol.asyncDispose]();
    await waitFor("the last loss to be told", () => states.at(-1) === "disconnected" && states.length === 8);
    expect(states.filter((_state, i) => i % 2 === 0)).toEqual(Array.from({ length: 4 }, () => "connected"));
  });

  test("moves to another broker when its own is gone", async () => {
    await using second = await startNats();
    const first = await startNats();
    const moved = { from: "", to: "" };
    await using connection = await open([first.address, second.address]);
    moved.from = connection.server;
    if (connection.server.endsWith(second.address)) await second[Symbol.asyncDispose]();
    else await first[Symbol.asyncDispose]();
    await waitFor("the other broker", () => connection.server !== moved.from && connection.server !== "");
    moved.to = connection.server;
    expect([moved.from, moved.to].sort()).toEqual([first.address, second.address].map((at) => `nats://${at}`).sort());
    await first[Symbol.asyncDispose]();
  });

  test("shows the token of the day when it comes back", async () => {
    const port = await freePort();
    let token = "yesterday";
    let broker = await startNats(requiresToken("yesterday"), { port });
    await using connection = await open(broker.address, { login: () => ({ token }) });
    await broker[Symbol.asyncDispose]();
    await waitFor("the loss to be noticed", () => connection.server === "");
    token = "today";
    broker = await startNats(requiresToken("today"), { port });
    await waitFor("the connection to come back", () => connection.server !== "");
    await broker[Symbol.asyncDispose]();
  });

  test("is not ended by logins that are refused for a while", async () => {
    const port = await freePort();
    const logger = new RecordingLogger();
    let token = "right";
    let broker = await startNats(requiresToken("right"), { port });
    await using connection = await open(broker.address, { login: () => ({ token }), logger });
    token = "wrong";
    await broker[Symbol.asyncDispose]();
    broker = await startNats(requiresToken("right"), { port });
    const refusals = () => logger.lines.filter(({ fields }) => /authoriz/i.test(String(fields.reason))).length;
    await waitFor("four refusals", () => refusals() >= 4);
    token = "right";
    await waitFor("the connection to come back", () => connection.server !== "");
    await broker[Symbol.asyncDispose]();
  });

  test("is not ended by logins that cannot be read, and never comes back without one", async () => {
    const port = await freePort();
    const logger = new RecordingLogger();
    let isBroken = false;
    let asked = 0;
    const login = () => {
      asked++;
      if (isBroken) throw new Error("the token file is empty");
      return { token: "right" };
    };
    let broker = await startNats(requiresToken("right"), { port });
    await using connection = await open(broker.address, { login, logger });
    isBroken = true;
    await broker[Symbol.asyncDispose]();
    broker = await startNats(requiresToken("right"), { port });
    const before = asked;
    await waitFor("three attempts", () => asked >= before + 3);
    expect(connection.server).toBe("");
    expect(logger.lines).toContainEqual({
      level: "warn",
      message: "No login to show to the broker",
      fields: { reason: "the token file is empty" },
    });
    isBroken = false;
    await waitFor("the connection to come back", () => connection.server !== "");
    await broker[Symbol.asyncDispose]();
  });

  test("without a login is refused even by a broker that would let anybody in", async () => {
    const port = await freePort();
    let isBroken = false;
    let refused = 0;
    const login = () => {
      if (!isBroken) return {};
      refused++;
      throw new Error("no token");
    };
    let broker = await startNats("", { port });
    await using connection = await open(broker.address, { login, timeout: 300 });
    await broker[Symbol.asyncDispose]();
    await waitFor("the loss to be noticed", () => connection.server === "");
    isBroken = true;
    broker = await startNats("", { port });
    await using observer = await open(broker.address);
    const leaked = collect(observer, "leak");
    connection.publish("leak", encodeUtf8("x"));
    await waitFor("two attempts", () => refused >= 2);
    expect([connection.server, ...leaked]).toEqual([""]);
    isBroken = false;
    await waitFor("the message once there is a login", () => leaked.length === 1);
    await broker[Symbol.asyncDispose]();
  });
});

test("Outbox holds messages in their order, and no more than it may", () => {
  const outbox = new Outbox(10);
  const message = (subject: string, length: number) => ({ subject, data: new Uint8Array(length), options: undefined });
  expect([message("a", 4), message("b", 7), message("c", 6)].map((held) => outbox.hold(held))).toEqual([
    true,
    false,
    true,
  ]);
  expect(outbox.take().map(({ subject }) => subject)).toEqual(["a", "c"]);
  expect(outbox.take()).toEqual([]);
  expect(outbox.hold(message("d", 10))).toBe(true);
});

describe("the first connection", () => {
  /** A clock that hardly sleeps but remembers how long it was to. */
  function hastyClock(): { clock: Clock; slept: number[] } {
    const slept: number[] = [];
    const sleep = (ms: number) => {
      slept.push(ms);
      return Bun.sleep(1);
    };
    return { slept, clock: { ...systemClock, sleep } };
  }

  test("is tried for ever, ever more slowly up to five seconds", async () => {
    const port = await freePort();
    const { clock, slept } = hastyClock();
    const logger = new RecordingLogger();
    const connecting = open(`127.0.0.1:${port}`, { clock, logger });
    await waitFor("thirty attempts", () => slept.length >= 30);
    await using _broker = await startNats("", { port });
    await using connection = await connecting;
    expect(connection.server).toBe(`nats://127.0.0.1:${port}`);
    expect(slept[0]).toBeWithin(250, 751);
    for (const ms of slept.slice(12)) expect(ms).toBeWithin(2_500, 7_501);
    expect(logger.messages[0]).toBe("Initial connection to the Broker failed on try 1: connection refused");
  });

  test("fails with the last error once its attempts are used up", async () => {
    const { clock, slept } = hastyClock();
    const error = await thrownBy(async () => open(`127.0.0.1:${await freePort()}`, { clock, attempts: 3 }));
    expect(String(error)).toContain("Initial connection to the Broker failed on try 3: connection refused");
    expect(slept).toHaveLength(2);
  });

  test("tells why there is no login", async () => {
    await using broker = await startNats();
    const login = () => {
      throw new Error("could not read token file");
    };
    expect(String(await thrownBy(() => open(broker.address, { login, attempts: 1 })))).toContain(
      "failed on try 1: could not read token file",
    );
  });

  test("ends at once when it is called off, even while a silent broker is waited for", async () => {
    const silent = createServer(() => undefined);
    const port = await freePort();
    await new Promise<void>((resolve) => silent.listen(port, "127.0.0.1", resolve));
    const abort = new AbortController();
    const connecting = thrownBy(() => open(`127.0.0.1:${port}`, { signal: abort.signal, timeout: 60_000 }));
    await waitFor(
      "the connection to arrive",
      () => new Promise<boolean>((done) => silent.getConnections((_e, n) => done(n > 0))),
    );
    const started = performance.now();
    abort.abort(new Error("stopped"));
    expect(String(await connecting)).toContain("stopped");
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(String(await thrownBy(() => open("127.0.0.1:1", { signal: abort.signal })))).toContain("stopped");
    silent.close();
  });
});

describe("TLS", () => {
  async function tlsBroker() {
    const folder = temporaryFolder();
    const { certificate, privateKey } = await selfSignedCertificate({ name: "localhost", alternatives: ["127.0.0.1"] });
    await Bun.write(folder.file("crt"), certificate);
    await Bun.write(folder.file("key"), privateKey);
    const broker = await startNats(`tls { cert_file: "${folder.file("crt")}", key_file: "${folder.file("key")}" }`);
    return { certificate, broker, [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose]() };
  }

  test("is demanded: a broker without it is refused", async () => {
    await using broker = await startNats();
    const error = await thrownBy(() => open(broker.address, { tls: {}, attempts: 1 }));
    expect(String(error)).toContain("server does not support 'tls'");
  });

  test("takes any certificate where no authority is configured", async () => {
    await using secure = await tlsBroker();
    await using connection = await open(secure.broker.address, { tls: {}, attempts: 1 });
    await connection.flush();
    expect(connection.nats.info?.tls_required).toBe(true);
  });

  test("takes the authority's certificate alone where one is configured", async () => {
    await using secure = await tlsBroker();
    await using connection = await open(secure.broker.address, { tls: { ca: secure.certificate }, attempts: 1 });
    await connection.flush();
    const other = await selfSignedCertificate({ name: "localhost", alternatives: ["127.0.0.1"] });
    const error = await thrownBy(() => open(secure.broker.address, { tls: { ca: other.certificate }, attempts: 1 }));
    expect(String(error)).toContain("failed on try 1");
  });
});

test("ReconnectPace waits before every attempt, longer from round to round, and starts over", () => {
  const pace = new ReconnectPace(2, [100, 1_000, 10_000]);
  expect([pace.next(), pace.next()]).toEqual([0, 0]);
  for (let outage = 0; outage < 3; outage++) {
    pace.connected();
    const waits = Array.from({ length: 8 }, () => pace.next());
    for (const [i, step] of [100, 100, 1_000, 1_000, 10_000, 10_000, 10_000, 10_000].entries()) {
      expect(waits[i]).toBeWithin(step / 2, step * 1.5 + 1);
    }
  }
});

test("fileLogin() reads token and seed anew each time", async () => {
  using folder = temporaryFolder();
  const organization = new TestOrganization();
  const first = await organization.client({ callerid: "up=bob" });
  const login = fileLogin(first.save(folder.file("client")), systemClock, { user: "provisioner", password: "x" });
  expect(login()).toMatchObject({ token: first.token, user: "provisioner", password: "x" });
  const second = await organization.client({ callerid: "up=bob" });
  second.save(folder.file("client"));
  expect(login().token).toBe(second.token);
  expect(login().key?.publicKey).toBe(second.key.publicKey);
});
