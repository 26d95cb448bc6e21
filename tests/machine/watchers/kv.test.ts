import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { type Connection, connectBroker } from "../../../lib/connector/mod.ts";
import { type Json, type JsonObject, silentLogger } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { startNats, type TestNats } from "../../support/nats.ts";
import { waitFor } from "../../support/wait.ts";

const folder = temporaryFolder();
let nats: TestNats;
let connection: Connection;
let bucket: KV;
let key: string;
let count = 0;
let machine: TestMachine | undefined;

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
  bucket = await new Kvm(jetstream(connection.nats)).create("CFG");
});

afterAll(async () => {
  await connection.close();
  await nats[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

beforeEach(() => {
  key = `key${count++}`;
});

afterEach(() => machine?.stop());

async function start(properties: JsonObject = {}, options: Partial<TestMachineOptions> = {}): Promise<TestMachine> {
  const definition = {
    type: "kv",
    interval: 1_000,
    properties: { bucket: "CFG", key, ...properties },
    successTransition: "changed",
    failTransition: "failed",
  };
  machine = new TestMachine({ definition, connection, ...options });
  const watcher = await machine.start();
  await waitFor("the first look", () => watcher.snapshot().fields.state !== "");
  states = () => watcher.snapshot().fields.state;
  return machine;
}

let states: () => unknown = () => undefined;

/** Let an interval pass, and wait until the watcher has done what it does. */
async function beat(m: TestMachine, isDone: () => boolean): Promise<void> {
  await m.clock.advance(1_000);
  await waitFor("the watcher", isDone);
}

test("a value is kept, changes are noticed, and what is deleted is forgotten", async () => {
  await bucket.put(key, "one");
  const m = await start();
  expect([m.data.get(`CFG_${key}`), states(), m.events]).toEqual(["one", "changed", ["changed"]]);
  await bucket.put(key, ' {"a": [1, 2]}\n');
  await beat(m, () => m.events.length === 2);
  expect(m.data.get(`CFG_${key}`)).toEqual({ a: [1, 2] });
  await beat(m, () => states() === "unchanged");
  await bucket.delete(key);
  await beat(m, () => m.events.length === 3);
  expect(m.data.all).toEqual({});
  expect(m.announced).toEqual([]);
});

test.each<[text: string, value: Json]>([
  ["[1]", [1]],
  [" text ", " text "],
  ["3", "3"],
  ["{", "{"],
  ["true", "true"],
])("%p is kept as %p", async (text, value) => {
  await bucket.put(key, text);
  const m = await start({ bucket_prefix: false });
  expect(m.data.get(key)).toEqual(value);
});

test("a clock that is set back does not keep values from being read", async () => {
  const m = await start();
  await bucket.put(key, "new");
  m.clock.setBack(3_600_000);
  await beat(m, () => m.events.length === 1);
  expect(m.data.get(`CFG_${key}`)).toBe("new");
});

test("what only looks like JSON is an error", async () => {
  await bucket.put(key, "{nonsense}");
  const m = await start();
  expect([m.events, m.data.all]).toEqual([["failed"], {}]);
});

test("a key that is not there is no change", async () => {
  const m = await start();
  expect([states(), m.events]).toEqual(["unchanged", []]);
});

test("a bucket that is not there is an error at each interval, and told once", async () => {
  const m = await start({ bucket: "NOPE" });
  await beat(m, () => m.events.length === 2);
  expect([states(), m.events]).toEqual(["error", ["failed", "failed"]]);
  expect(m.logger.messages).toEqual(["A key of a bucket could not be read"]);
});

test("without a broker every look is an error", async () => {
  const definition = { type: "kv", interval: 1_000, properties: { bucket: "CFG", key }, failTransition: "failed" };
  const m = await start({}, { connection: undefined, definition });
  expect(m.events).toEqual(["failed"]);
});

test("what was kept before a restart is no change", async () => {
  await bucket.put(key, "one");
  const m = await start({}, { data: { [`CFG_${key}`]: "one" } });
  expect([states(), m.events]).toEqual(["unchanged", []]);
});

test("with on_successful_get every value counts as a change", async () => {
  await bucket.put(key, "one");
  const m = await start({ on_successful_get: true });
  await beat(m, () => m.events.length === 2);
  expect(m.events).toEqual(["changed", "changed"]);
});

test("with on_matching_update the same value written again counts as a change", async () => {
  await bucket.put(key, "one");
  const m = await start({ on_matching_update: true });
  await beat(m, () => states() === "unchanged");
  await bucket.put(key, "one");
  await beat(m, () => m.events.length === 2);
});

test("a query picks a part of an object, and store_key names it", async () => {
  await bucket.put(key, '{"a":{"b":[1,{"c":"x"}]}}');
  const m = await start({ query: "a.b.1.c", store_key: "name", bucket_prefix: "false" });
  expect(m.data.all).toEqual({ name: "x" });
});

test("templates of the key and of the name among the data are filled in", async () => {
  await bucket.put(key, "one");
  const m = await start({ key: "KEY", store_key: "NAME" }, { render: (text) => (text === "KEY" ? key : "stored") });
  expect(m.data.all).toEqual({ CFG_stored: "one" });
});

test("it is not asked more often than the interval says", async () => {
  await bucket.put(key, "one");
  const m = await start();
  await bucket.put(key, "two");
  m.enter("OTHER");
  await m.clock.advance(400);
  expect(m.data.get(`CFG_${key}`)).toBe("one");
  await beat(m, () => m.data.get(`CFG_${key}`) === "two");
});

test("changes that the stream republishes are taken at once, and other messages are not", async () => {
  const manager = await jetstreamManager(connection.nats);
  const { config } = await manager.streams.info("KV_CFG");
  await manager.streams.update("KV_CFG", { ...config, republish: { src: ">", dest: "choria.republish.>" } });
  const m = await start({ republish_trigger: `choria.republish.$KV.CFG.${key}` });
  await connection.flush();
  connection.nats.publish(`choria.republish.$KV.CFG.${key}`, "forged");
  await bucket.put(key, "told");
  await waitFor("the change", () => m.data.get(`CFG_${key}`) === "told");
  await bucket.delete(key);
  await waitFor("the end of it", () => m.data.get(`CFG_${key}`) === undefined);
  expect(m.events).toEqual(["changed", "changed"]);
});

test.each([
  [{ bucket: "" }, "bucket is required"],
  [{ key: "" }, "key is required"],
  [{ mode: "watch" }, "watch mode not supported"],
  [{ mode: "x" }, "mode should be 'poll' or 'watch'"],
  [{ hiera_config: true }, "hiera_config is not supported"],
])("with %p it does not start", async (properties, reason) => {
  await expect(start(properties)).rejects.toThrow(reason);
});
