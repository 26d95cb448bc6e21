import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { jetstream } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { type Connection, connectBroker } from "../../../lib/connector/mod.ts";
import {
  decodeManifest,
  MachineGroup,
  type MachineNode,
  machineEventData,
  noSettings,
  type PackedArchive,
  packArchive,
} from "../../../lib/machine/mod.ts";
import { isObject, type JsonObject, silentLogger, systemClock } from "../../../lib/std/mod.ts";
import vector from "../../fixtures/machines/engine_run.json";
import { temporaryFolder } from "../../support/folder.ts";
import { startNats, type TestNats } from "../../support/nats.ts";
import { waitFor } from "../../support/wait.ts";

const folder = temporaryFolder();
const credentials: (string | null)[] = [];
let nats: TestNats;
let connection: Connection;
let bucket: KV;
let thing: PackedArchive;
let web: Bun.Server<undefined>;

beforeAll(async () => {
  nats = await startNats(`jetstream { store_dir: "${folder.file("streams")}" }`);
  connection = await connectBroker({
    servers: [nats.address],
    name: "test",
    login: () => ({}),
    inboxPrefix: "_INBOX",
    logger: silentLogger,
    tls: false,
  });
  bucket = await new Kvm(jetstream(connection.nats)).create("CFG");
  mkdirSync(folder.file("thing"));
  writeFileSync(folder.file("thing/a.txt"), "hello");
  thing = await packArchive(folder.file("thing"));
  web = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ headers }) {
      credentials.push(headers.get("authorization"));
      return new Response(thing.archive);
    },
  });
});

afterAll(async () => {
  await Promise.all([connection.close(), web.stop(true)]);
  await nats[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function node(): MachineNode {
  return {
    identity: "vec.example.net",
    collective: "choria",
    clock: systemClock,
    random: Math.random,
    facts: async () => vector.facts,
    connection,
    settings: noSettings,
  };
}

/** Run a machine of the original's; gives what it publishes, as it does. */
async function run(name: string, manifest: string, data: string): Promise<{ documents: JsonObject[]; stop(): void }> {
  const documents: JsonObject[] = [];
  const group = new MachineGroup({
    node: node(),
    logger: silentLogger,
    onEvent: (event) => documents.push(machineEventData(event)),
  });
  const path = folder.file(`machines/${name}`);
  mkdirSync(path, { recursive: true });
  if (data !== "") writeFileSync(`${path}/machine_data.json`, data);
  await group.add(path, decodeManifest(manifest).manifest).start();
  return { documents, stop: () => group.stop() };
}

/** What one watcher of a machine told, with the transitions: the same on every run, unlike how watchers interleave. */
function told(documents: readonly JsonObject[], machine: string, watcher: string): unknown[] {
  const own = documents.filter((document) => document.machine === machine);
  return own
    .filter((document) => document.name === watcher || document.transition !== undefined)
    .map(({ transition, previous_outcome, state }) => transition ?? previous_outcome ?? state);
}

const golden = vector.events.flatMap(({ body }) => (isObject(body) && isObject(body.data) ? [body.data] : []));

test("an archive that has another checksum is an error, then a transition, then an error again", async () => {
  const manifest = vector.machines.arch_a
    .replaceAll("127.0.0.1:35407", `127.0.0.1:${web.port}`)
    .replaceAll("/opt/lab", folder.path)
    .replace(/096ce6fd\w+/, thing.checksum)
    .replace(/b4f8bf99\w+/, thing.verifyChecksum);
  const { documents, stop } = await run("arch_a", manifest, "");
  const first = (watcher: string, from: readonly JsonObject[]) => told(from, "arch_a", watcher).slice(0, 3);
  await waitFor("both watchers", () => ["dl", "badsum"].every((name) => first(name, documents).length === 3));
  stop();
  expect(first("badsum", documents)).toEqual(first("badsum", golden));
  expect(told(documents, "arch_a", "dl").filter((outcome) => outcome !== "bad")).toEqual(["downloaded", "verified"]);
  expect(credentials).toContain(`Basic ${btoa("bob:pw3")}`);
  expect(Object.keys(documents.find(({ name }) => name === "dl") ?? {})).toEqual(
    Object.keys(golden.find(({ name }) => name === "dl") ?? {}),
  );
});

test("a specification that stands in machine_data.json is deployed as by the original", async () => {
  const data = vector.files["machines/external_agents/machine_data.json"].content;
  const manifest = vector.machines.external_agents.replace("/opt/lab/agents", folder.file("agents"));
  const { documents, stop } = await run("external_agents", manifest, data);
  await waitFor("the deployment", () => documents.length > 0);
  stop();
  const strip = ({ plugins, previous_outcome, name, machine }: JsonObject) => ({
    plugins,
    previous_outcome,
    name,
    machine,
  });
  expect(documents.map(strip)).toEqual(
    golden
      .filter(({ name }) => name === "manage_agents")
      .slice(0, 1)
      .map(strip),
  );
  const written = readFileSync(folder.file("machines/eam_requests/machine.yaml"), "utf8");
  expect(written.replace(folder.file("agents"), "/opt/lab/agents")).toBe(
    vector.files["machines/eam_requests/machine.yaml"].content,
  );
});

test("a key that appears is a transition, which an expression over the data sees", async () => {
  const manifest = vector.machines.kv_a;
  const { documents, stop } = await run("kv_a", manifest, "");
  await bucket.put("cfg/mt", '{"a":1}');
  await waitFor("the way there and back", () => told(documents, "kv_a", "t").includes("again"));
  stop();
  const cycle = (from: readonly JsonObject[]) => told(from, "kv_a", "t").slice(0, 4);
  expect(cycle(documents)).toEqual(cycle(golden));
});
