import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { askBrokers, Fields, listConnections, NoBrokersError } from "../../lib/monitor/mod.ts";
import { encodeUtf8, silentLogger } from "../../lib/std/mod.ts";
import { startNats, type TestNats } from "../support/nats.ts";

const accounts = `
server_name: "broker.example.net"
accounts {
  system { users: [ { user: "system", password: "system" } ] }
  choria { users: [ { user: "choria", password: "choria" } ] }
}
system_account: system`;

let nats: TestNats;
let system: Connection;
let others: Connection[];

function connect(user: string, { address }: TestNats = nats): Promise<Connection> {
  return connectBroker({
    servers: [address],
    name: `of ${user}`,
    login: () => ({ user, password: user }),
    inboxPrefix: "choria.reply.test",
    tls: false,
    logger: silentLogger,
  });
}

beforeAll(async () => {
  nats = await startNats(accounts);
  system = await connect("system");
  others = await Promise.all(["choria", "choria", "choria"].map((user) => connect(user)));
});

afterAll(async () => {
  await Promise.all([system, ...others].map((connection) => connection.close()));
  await nats[Symbol.asyncDispose]();
});

describe("askBrokers()", () => {
  test("gathers what every broker tells of itself", async () => {
    const [answer, ...more] = await askBrokers(system, undefined, { expect: 1 });
    expect(more).toEqual([]);
    expect(answer?.server.text("name")).toBe("broker.example.net");
    expect(answer?.data.number("connections")).toBe(4);
    expect(answer?.rtt).toBeGreaterThan(0);
    expect(Object.keys(answer?.document ?? {})).toContain("statsz");
  });

  test("asks one broker by its id", async () => {
    const [first] = await askBrokers(system, undefined, { expect: 1 });
    const [answer] = await askBrokers(system, "VARZ", { id: first?.server.text("id") ?? "" });
    expect(answer?.data.text("server_name")).toBe("broker.example.net");
  });

  test("waits for more answers for as long as answers keep coming", async () => {
    await using plain = await startNats();
    await using client = await connect("anybody", plain);
    await using brokers = await connect("anybody", plain);
    brokers.subscribe("$SYS.REQ.SERVER.PING", (message) => {
      for (const name of ["a", "b", "c"]) message.respond(encodeUtf8(JSON.stringify({ server: { name }, statsz: {} })));
      // What is no answer of a broker is not counted.
      message.respond(encodeUtf8("no JSON"));
      message.respond(encodeUtf8("{}"));
    });
    await brokers.flush();
    const answers = await askBrokers(client, undefined, { quiet: 50 });
    expect(answers.map(({ server }) => server.text("name"))).toEqual(["a", "b", "c"]);
    expect(await askBrokers(client, undefined, { expect: 2 })).toHaveLength(2);
  });

  test("says what is needed when nobody may answer", async () => {
    const [client] = others;
    if (client === undefined) throw new Error("no client");
    const asked = askBrokers(client, "VARZ", { timeout: 200 });
    await expect(asked).rejects.toBeInstanceOf(NoBrokersError);
    await expect(asked).rejects.toThrow("ensure the account used has system privileges");
  });

  test("ends when it is called off", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const stopping = new AbortController();
    const asked = askBrokers(system, undefined, { signal: stopping.signal });
    stopping.abort(signal.reason);
    await expect(asked).rejects.toThrow("enough");
  });
});

describe("listConnections()", () => {
  test("gives every connection with its broker", async () => {
    const all = await listConnections(system, {}, { expect: 1 });
    expect(all.map(({ connection }) => connection.text("account")).sort()).toEqual([
      ...["choria", "choria", "choria", "system"],
    ]);
    expect(all[0]?.document).toMatchObject({ server: { name: "broker.example.net" } });
  });

  test("gives those of an account alone", async () => {
    const some = await listConnections(system, { account: "system" }, { expect: 1 });
    expect(some.map(({ connection }) => connection.text("name"))).toEqual(["of system"]);
  });

  test("asks for page after page", async () => {
    // Every account may ask for its own connections where there is a system account.
    await using plain = await startNats("no_system_account: true");
    await using client = await connect("anybody", plain);
    await using broker = await connect("anybody", plain);
    const total = 2_500;
    broker.subscribe("$SYS.REQ.SERVER.PING.CONNZ", (message) => {
      const { offset, limit } = message.json<{ offset: number; limit: number }>();
      const length = Math.max(0, Math.min(limit, total - offset));
      const connections = Array.from({ length }, (_, i) => ({ cid: offset + i }));
      message.respond(encodeUtf8(JSON.stringify({ server: { name: "a" }, data: { total, connections } })));
    });
    await broker.flush();
    const all = await listConnections(client, {}, { expect: 1 });
    expect(new Set(all.map(({ connection }) => connection.number("cid"))).size).toBe(total);
  });
});

test("Fields reads whatever a broker sends", () => {
  const fields = new Fields({ a: "x", n: 3, f: true, l: [{ n: 1 }, 7], m: { k: { n: 2 } }, t: "2026-11-22T00:00:00Z" });
  expect([fields.text("a"), fields.text("n"), fields.number("n"), fields.number("a"), fields.flag("f")]).toEqual([
    ...["x", "", 3, 0, true],
  ]);
  expect(fields.list("l").map((one) => one.number("n"))).toEqual([1, 0]);
  expect(fields.map("m").map(([name, one]) => [name, one.number("n")])).toEqual([["k", 2]]);
  expect([fields.time("t"), fields.time("a"), fields.has("zz")]).toEqual([1_795_305_600_000, 0, false]);
  expect(new Fields([1, 2]).text("a")).toBe("");
});
