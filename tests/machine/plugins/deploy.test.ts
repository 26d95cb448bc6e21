import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { configFrom } from "../../../lib/config/mod.ts";
import { type Connection, connectBroker } from "../../../lib/connector/mod.ts";
import { generateKey } from "../../../lib/crypto/mod.ts";
import {
  type MachineHost,
  noSettings,
  packArchive,
  packSpecification,
  pluginsManager,
  startMachineHost,
} from "../../../lib/machine/mod.ts";
import { encodeUtf8, type JsonObject, silentLogger, systemClock } from "../../../lib/std/mod.ts";
import { privateNetworkId } from "../../../lib/tokens/mod.ts";
import { startTestBroker, type TestBroker } from "../../support/broker.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { RecordingLogger } from "../../support/log.ts";
import { type Member, TestOrganization } from "../../support/organization.ts";
import { waitFor } from "../../support/wait.ts";

const key = generateKey();
const identity = "n1.example.net";
const folder = temporaryFolder();
const store = folder.file("store");
const logger = new RecordingLogger();
const archives = new Map<string, Uint8Array>();
let broker: TestBroker;
let admin: Connection;
let server: Connection;
let bucket: KV;
let web: Bun.Server<undefined>;
let host: MachineHost;

function connect(name: string, { token, key }: Member, holder: string): Promise<Connection> {
  return connectBroker({
    servers: [broker.address],
    name,
    login: () => ({ token, key }),
    inboxPrefix: `choria.reply.${privateNetworkId(holder)}`,
    logger: silentLogger,
    tls: {},
  });
}

beforeAll(async () => {
  const organization = new TestOrganization();
  broker = await startTestBroker({ organization });
  admin = await connect(
    "admin",
    await organization.client({ callerid: "up=a", permissions: { org_admin: true } }),
    "up=a",
  );
  const may = { collectives: ["choria"], permissions: { streams: true } };
  server = await connect("n1", await organization.server({ identity, ...may }), identity);
  bucket = await new Kvm(jetstream(admin.nats)).create("CHORIA_PLUGINS");
  web = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => new Response(archives.get(new URL(url).pathname.slice(1)) ?? "no"),
  });
  const manager = pluginsManager(
    configFrom({
      "plugin.machines.download": "1",
      "plugin.machines.poll_interval": "1s",
      "plugin.machines.check_interval": "2s",
      "plugin.machines.signing_key": key.publicKey,
    }),
  );
  host = await startMachineHost({
    store,
    logger,
    embedded: manager === undefined ? [] : [manager],
    node: {
      identity,
      collective: "choria",
      clock: systemClock,
      random: Math.random,
      facts: async () => ({}),
      connection: server,
      settings: noSettings,
    },
  });
}, 20_000);

afterAll(async () => {
  await host.stop();
  await Promise.all([admin.close(), server.close(), web.stop(true)]);
  await broker.stop();
  folder[Symbol.dispose]();
});

/** Pack a machine that does nothing; gives its place on the list. */
async function plugin(name: string): Promise<JsonObject> {
  using source = temporaryFolder();
  mkdirSync(source.file(name));
  const machine = { name, version: "1.0.0", initial_state: "RUN" };
  const transitions = [{ name: "end", from: ["RUN"], destination: "END" }];
  const watchers = [{ name: "w", type: "timer", state_match: ["END"], properties: { timer: "1h" } }];
  writeFileSync(source.file(`${name}/machine.yaml`), JSON.stringify({ ...machine, transitions, watchers }));
  const { archive, checksum, verifyChecksum } = await packArchive(source.file(name));
  archives.set(`${name}.tgz`, archive);
  const url = `http://127.0.0.1:${web.port}/${name}.tgz`;
  return { name, source: url, checksum, verify_checksum: verifyChecksum };
}

const publish = (plugins: JsonObject[], by = key) =>
  bucket.put("plugins", packSpecification(encodeUtf8(JSON.stringify(plugins)), by));
const running = () => host.states().map(({ name }) => name);

describe("a node that follows a bucket of plugins", () => {
  test("runs the built-in machine, and waits for the bucket's key", () => {
    expect(host.states()).toMatchObject([{ name: "plugins_manager", state: "INITIAL" }]);
  });

  test("takes nothing that somebody else has signed", async () => {
    await publish([await plugin("evil")], generateKey());
    await waitFor("the refusal", () => JSON.stringify(logger.lines).includes("invalid data_item"));
    expect([running(), existsSync(join(store, "mm_evil"))]).toEqual([["plugins_manager"], false]);
  });

  test("runs the machines that are listed, from web servers and from object buckets", async () => {
    const one = await plugin("one");
    const two = await plugin("two");
    const objects = await new Objm(jetstream(admin.nats)).create("ARCHIVES");
    await objects.putBlob({ name: "v1/two.tgz" }, archives.get("two.tgz") ?? new Uint8Array());
    await publish([one, { ...two, source: "obj://ARCHIVES/v1/two.tgz" }]);
    const all = ["mm_one", "mm_two", "one", "plugins_manager", "two"];
    await waitFor("the machines", () => running().join() === all.join(), 20_000);
    expect(host.states().find(({ name }) => name === "two")).toMatchObject({ state: "RUN", path: join(store, "two") });
  }, 25_000);

  test("puts right what looks after them when somebody changes it", async () => {
    const file = join(store, "mm_one/machine.yaml");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before.replace("one.tgz", "evil.tgz"));
    await waitFor("the repair", () => readFileSync(file, "utf8") === before);
  }, 15_000);

  test("removes the machines that are listed no longer, and no others", async () => {
    mkdirSync(join(store, "mine"));
    await publish([await plugin("one")]);
    await waitFor("the end of it", () => running().join() === "mm_one,one,plugins_manager", 20_000);
    expect([existsSync(join(store, "two")), existsSync(join(store, "mine"))]).toEqual([false, true]);
  }, 25_000);
});

test("without plugin.machines.download there is no such machine", () => {
  expect(pluginsManager(configFrom({}))).toBeUndefined();
});
