import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { connectEndpoint, parseReplicatorConfig, startReplicator } from "../../lib/replicator/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { startTestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { fill, StreamServer, sourceSequences, upTo } from "./support.ts";

async function servers(folder: { file: (name: string) => string }): Promise<[StreamServer, StreamServer]> {
  for (const side of ["source", "target"]) mkdirSync(folder.file(side));
  return [await StreamServer.start(folder.file("source")), await StreamServer.start(folder.file("target"))];
}

function start(name: string, stream: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const logger = new RecordingLogger();
  const config = parseReplicatorConfig(JSON.stringify({ name, streams: [stream], ...more }));
  return Object.assign(startReplicator({ config, logger }), { logger });
}

test("of two replicators one copies, and the other goes on where it ended", async () => {
  using folder = temporaryFolder();
  const [source, target] = await servers(folder);
  await using _source = source;
  await using _target = target;
  await source.stream("KV_CHORIA_LEADER_ELECTION", ["$KV.CHORIA_LEADER_ELECTION.>"], {
    max_age: 3_000_000_000,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    duplicate_window: 3_000_000_000,
  });
  await source.stream("ORDERS", ["orders.>"]);
  await fill(source, "ORDERS", "orders", 3_000, 100);
  const stream = {
    stream: "ORDERS",
    name: "orders",
    source_url: source.url,
    target_url: target.url,
    leader_election_name: "candidate",
  };
  const running = ["one", "two"].map((name) => start(name, stream));
  const leader = () => running.findIndex(({ logger }) => logger.messages.includes("Became the leader"));
  await waitFor("a leader", () => leader() >= 0);
  await waitFor("copies", async () => (await target.count("ORDERS")) >= 500);
  const first = leader();
  await running[first]?.stop();
  await waitFor("the other to lead", () => running[1 - first]?.logger.messages.includes("Became the leader"));
  await fill(source, "ORDERS", "orders", 100, 100);
  await waitFor("all copies", async () => (await target.count("ORDERS")) >= 3_100);
  expect(sourceSequences(await target.messages("ORDERS"))).toEqual(upTo(3_100));
  expect(await running[1 - first]?.metrics.text()).toContain(
    `choria_stream_replicator_election_leader{election="SR_orders_ORDERS",identity="candidate",replicator="${first === 0 ? "two" : "one"}"} 1`,
  );
  await running[1 - first]?.stop();
}, 30_000);

test("replicators tell each other what they saw, and everybody what is new", async () => {
  using folder = temporaryFolder();
  const [source, target] = await servers(folder);
  await using _source = source;
  await using _target = target;
  await source.stream("LIM", ["lim.>"]);
  await source.stream("ADV", ["adv.>"]);
  const store = folder.file("state");
  const stream = {
    stream: "LIM",
    name: "lim",
    source_url: source.url,
    target_url: target.url,
    inspect_field: "sender",
    inspect_duration: "1h",
    advisory: { subject: "adv.%s.%v", reliable: true },
  };
  const nats = await source.nats();
  const gossip: string[] = [];
  nats.subscribe("choria.stream-replicator.sync.LIM.lim", {
    callback: (_error, { data }) => void gossip.push(String(data.length)),
  });
  // What somebody else has copied a moment ago, strangers say, and damage.
  const now = new Date().toISOString();
  {
    await using running = start("SITE1", stream, { state_store: store });
    await waitFor("the copier", () =>
      running.logger.messages.some((text) => text.startsWith("Starting Source-initiated")),
    );
    for (const text of ["", "[]", '{"value":7}', '{"value":"x","seen":"y","copied":"z"}', "x".repeat(9_000)]) {
      nats.publish("choria.stream-replicator.sync.LIM.lim", text);
    }
    nats.publish(
      "choria.stream-replicator.sync.LIM.lim",
      JSON.stringify({ value: "known", seen: now, copied: now, size: 18 }),
    );
    await nats.flush();
    for (const sender of ["known", "fresh", "fresh"]) nats.publish("lim.x", JSON.stringify({ sender }));
    await waitFor("the copy", async () => (await target.count("LIM")) === 1);
    await waitFor("the advisory", async () => (await source.count("ADV")) === 1);
    await waitFor("gossip of all", () => gossip.length >= 9);
  }
  const [copy] = await target.messages("LIM");
  expect(copy?.data).toBe('{"sender":"fresh"}');
  const [advisory] = await source.messages("ADV");
  expect(advisory?.subject).toBe("adv.new.fresh");
  expect(JSON.parse(advisory?.data ?? "")).toMatchObject({ event: "new", value: "fresh", age: 0, replicator: "SITE1" });
  const state = await Bun.file(`${store}/LIM_lim.json`).json();
  expect(Object.keys(state.Items).sort()).toEqual(["fresh", "known"]);
  expect(state.Items.fresh.copied).toStartWith("20");
}, 30_000);

test("a Choria broker's stream is copied with the permissions of the guide, and kept alive by heartbeats", async () => {
  using folder = temporaryFolder();
  const organization = new TestOrganization();
  await using broker = await startTestBroker({ organization });
  mkdirSync(folder.file("target"));
  await using target = await StreamServer.start(folder.file("target"));
  const replicator = await organization.client({
    callerid: "stream_replicator",
    permissions: { streams_user: true },
    pub_subjects: ["choria.stream-replicator.sync.>", "choria.node_advisories.>", "choria.node_metadata._monitor"],
    sub_subjects: ["choria.stream-replicator.sync.>"],
  });
  const admin = await organization.client({ callerid: "admin", permissions: { org_admin: true } });
  const choria = ({ seedFile, tokenFile }: { seedFile: string; tokenFile: string }) => ({
    seedFile,
    tokenFile,
    collective: "choria",
  });
  const files = replicator.save(folder.file("replicator"));
  const login = { seed_file: files.seedFile, jwt_file: files.tokenFile, collective: "choria" };
  const stream = {
    stream: "CHORIA_REGISTRATION",
    start_sequence: 1,
    source_url: broker.url,
    target_url: target.url,
    inspect_field: "sender",
    inspect_duration: "20m",
    advisory: { subject: "choria.node_advisories.%v" },
    source_choria: login,
  };
  const heartbeats = {
    interval: "1s",
    url: broker.url,
    choria: login,
    subjects: [{ subject: "choria.node_metadata._monitor" }],
  };
  await using running = start("COMPOSE", stream, { heartbeats });
  await waitFor("the wait for the stream", () =>
    running.logger.messages.includes("Loading stream failed on try 1: stream not found (10059)"),
  );
  const { connection } = await connectEndpoint(
    { url: broker.url, tls: { ca: "", cert: "", key: "" }, choria: choria(admin.save(folder.file("admin"))) },
    { name: "admin", clock: systemClock, logger: silentLogger, signal: AbortSignal.timeout(10_000) },
  );
  await using _admin = connection;
  const settings = { name: "CHORIA_REGISTRATION", subjects: ["choria.node_metadata.>"], storage: "file" };
  await connection.nats.request("$JS.API.STREAM.CREATE.CHORIA_REGISTRATION", JSON.stringify(settings));
  for (const _time of [1, 2])
    connection.publish("choria.node_metadata.n1", new TextEncoder().encode('{"sender":"n1"}'));
  const subjects = async () => (await target.messages("CHORIA_REGISTRATION")).map(({ subject }) => subject);
  await waitFor(
    "data and a heartbeat",
    async () => (await subjects()).includes("choria.node_metadata._monitor"),
    15_000,
  );
  expect((await subjects()).filter((subject) => subject.endsWith(".n1"))).toHaveLength(1);
  const heartbeat = (await target.messages("CHORIA_REGISTRATION")).find(({ subject }) => subject.endsWith("_monitor"));
  expect(Object.keys(heartbeat?.headers ?? {})).toEqual([
    "Choria-SR-Originator",
    "Choria-SR-Source",
    "Choria-SR-Subject",
  ]);
  expect(heartbeat?.data).toMatch(/^\d{10}$/);
}, 40_000);
