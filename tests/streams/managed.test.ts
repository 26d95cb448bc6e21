import { describe, expect, test } from "bun:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { configFrom } from "../../lib/config/mod.ts";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { managedStreams, manageStreams } from "../../lib/streams/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNats } from "../support/nats.ts";

const prefix = "plugin.choria.network.stream.";
const config = (settings: Record<string, string> = {}) =>
  configFrom(Object.fromEntries(Object.entries(settings).map(([key, value]) => [prefix + key, value])));
const hour = 3_600_000_000_000;

test("by default there are four streams, the executor's not among them", () => {
  expect(managedStreams(config(), 1).map(({ name, subjects, max_age }) => [name, subjects, max_age])).toEqual([
    ["CHORIA_EVENTS", ["choria.lifecycle.>"], 24 * hour],
    ["CHORIA_MACHINE", ["choria.machine.>"], 24 * hour],
    ["CHORIA_STREAM_ADVISORIES", ["$JS.EVENT.ADVISORY.>"], 168 * hour],
    ["KV_CHORIA_LEADER_ELECTION", ["$KV.CHORIA_LEADER_ELECTION.>"], hour / 60],
  ]);
});

test("a retention of zero leaves a stream out, but never the bucket of elections", () => {
  const none = config({ event_retention: "0", machine_retention: "0", advisory_retention: "0" });
  expect(managedStreams(none, 1).map(({ name }) => name)).toEqual(["KV_CHORIA_LEADER_ELECTION"]);
});

test("executor events are stored under the subjects that their readers know", () => {
  const [executor] = managedStreams(config({ executor_retention: "1h" }), 1).filter(
    ({ name }) => name === "CHORIA_EXECUTOR",
  );
  expect(executor).toMatchObject({
    description: "Choria Executor Events",
    subjects: ["choria.submission.in.choria.executor.>"],
    subject_transform: { src: "choria.submission.in.choria.executor.>", dest: "choria.executor.>" },
    allow_direct: true,
  });
});

describe("replicas", () => {
  test.each([
    [{}, 1, 1],
    [{}, 3, 3],
    [{}, 9, 5],
    [{ event_replicas: "2" }, 3, 2],
    [{ event_replicas: "0" }, 3, 1],
  ])("of %p among %i brokers are %i", (settings, brokers, replicas) => {
    expect(managedStreams(config(settings), brokers)[0]?.num_replicas).toBe(replicas);
  });
});

test("a retention shorter than two minutes shortens the window for duplicates", () => {
  expect(managedStreams(config({ event_retention: "30s" }), 1)[0]?.duplicate_window).toBe(30_000_000_000);
});

async function connect(address: string): Promise<Connection> {
  return connectBroker({
    servers: [address],
    name: "test",
    login: () => ({}),
    inboxPrefix: "_INBOX",
    logger: silentLogger,
    tls: false,
  });
}

test("streams are created as the original's are, and brought in line when their configuration changes", async () => {
  using folder = temporaryFolder();
  await using nats = await startNats(`jetstream { store_dir: "${folder.path}" }`);
  await using connection = await connect(nats.address);
  const said: string[] = [];
  const logger = { ...silentLogger, info: (text: string) => said.push(text) };
  await manageStreams(connection, { config: config(), logger, brokers: 1 });
  const manager = await jetstreamManager(connection.nats);
  expect((await manager.streams.info("KV_CHORIA_LEADER_ELECTION")).config).toMatchObject({
    description: "Choria Leader Election Bucket",
    retention: "limits",
    max_consumers: -1,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 60_000_000_000,
    max_msgs_per_subject: 1,
    max_msg_size: 1024,
    discard: "new",
    storage: "file",
    num_replicas: 1,
    duplicate_window: 60_000_000_000,
    allow_direct: true,
    deny_delete: true,
    allow_rollup_hdrs: true,
  });
  expect((await manager.streams.info("CHORIA_EVENTS")).config).toMatchObject({
    retention: "limits",
    storage: "file",
    discard: "old",
    max_msg_size: -1,
    duplicate_window: 120_000_000_000,
    allow_direct: false,
  });
  await manageStreams(connection, { config: config({ event_retention: "1h" }), logger, brokers: 1 });
  expect((await manager.streams.info("CHORIA_EVENTS")).config.max_age).toBe(hour);
  expect(said.slice(0, 1)).toEqual(["Created stream CHORIA_EVENTS with 1 replicas and 24h0m0s retention"]);
  expect(said.slice(4, 5)).toEqual(["Configured stream CHORIA_EVENTS with 1 replicas and 1h0m0s retention"]);
});

test("a stream that a user made for all submissions is not in the way of ours", async () => {
  using folder = temporaryFolder();
  await using nats = await startNats(`jetstream { store_dir: "${folder.path}" }`);
  await using connection = await connect(nats.address);
  await manageStreams(connection, { config: config(), logger: silentLogger, brokers: 1 });
  const manager = await jetstreamManager(connection.nats);
  const { config: made } = await manager.streams.add({ name: "SUBMIT", subjects: ["choria.submission.in.>"] });
  expect(made.name).toBe("SUBMIT");
});

test("the tries end when they are called off", async () => {
  await using nats = await startNats();
  await using connection = await connect(nats.address);
  const stopping = new AbortController();
  const said: string[] = [];
  const note = (text: string) => {
    said.push(text);
    if (said.length === 2) stopping.abort();
  };
  const logger = { ...silentLogger, info: note, warn: note };
  await manageStreams(connection, { config: config(), logger, brokers: 1, signal: stopping.signal });
  expect(said).toEqual([
    "A stream cannot be configured yet; trying again",
    "A stream could not be configured; trying again",
  ]);
});
