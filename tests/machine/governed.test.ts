import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { governed } from "../../lib/machine/mod.ts";
import { type JsonObject, parseObject, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { GovernorError, Governors } from "../../lib/streams/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestMachine } from "../support/machine.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { waitFor } from "../support/wait.ts";

const folder = temporaryFolder();
let nats: TestNats;
let connection: Connection;
let governors: Governors;
const events: JsonObject[] = [];

beforeAll(async () => {
  nats = await startNats(`jetstream { store_dir: "${folder.path}" }`);
  connection = await connectBroker({
    servers: [nats.address],
    name: "test",
    login: () => ({}),
    inboxPrefix: "_INBOX",
    logger: silentLogger,
    tls: false,
  });
  governors = new Governors(connection, "choria");
  await governors.save({ name: "slow", capacity: 1, expires: 60_000 });
  connection.subscribe("choria.lifecycle.event.governor.exec_a", ({ data }) => {
    events.push(parseObject(data));
  });
});

afterAll(async () => {
  await connection.close();
  await nats[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const machine = (more: { connection?: Connection | undefined } = { connection }) =>
  new TestMachine({ definition: { type: "exec", name: "gov" }, name: "exec_a", clock: systemClock, ...more });

const event = (action: string, sequence: number) => ({
  protocol: "io.choria.lifecycle.v1.governor",
  id: expect.any(String),
  identity: "n1.example.net",
  component: "exec_a",
  timestamp: expect.any(Number),
  governor: "slow",
  sequence,
  event_type: action,
});

test("work holds a slot under the machine's name, gives it back, and tells of both", async () => {
  using m = machine();
  const holder = await governed(m.context, { governor: "slow", timeout: 0 }, async () => {
    const [lease] = await governors.leases("slow");
    return lease?.holder;
  });
  expect(holder).toBe("Auto Agent  exec_a#gov @ n1.example.net");
  await waitFor("the events", () => events.length === 2);
  expect(events).toEqual([event("enter", 1), event("exit", 1)]);
  expect(await governors.leases("slow")).toEqual([]);
});

test("work that fails gives its slot back", async () => {
  using m = machine();
  const work = governed(m.context, { governor: "slow", timeout: 0 }, () => Promise.reject(new Error("no")));
  await expect(work).rejects.toThrow("no");
  expect(await governors.leases("slow")).toEqual([]);
});

test("where there is no slot in time nothing is done, and that is told", async () => {
  using m = machine();
  using other = machine();
  events.length = 0;
  await governed(m.context, { governor: "slow", timeout: 0 }, async () => {
    const refused = governed(other.context, { governor: "slow", timeout: 100 }, () => Promise.resolve("done"));
    await expect(refused).rejects.toThrow(GovernorError);
  });
  await waitFor("the events", () => events.length === 3);
  expect(events.map(({ event_type, sequence }) => [event_type, sequence])).toContainEqual(["timeouts", 0]);
});

test("without a governor work is done at once, and with one but no broker not at all", async () => {
  using m = machine({ connection: undefined });
  expect(await governed(m.context, { governor: "", timeout: 0 }, async () => "done")).toBe("done");
  await expect(governed(m.context, { governor: "slow", timeout: 0 }, async () => "done")).rejects.toThrow("broker");
});
