/**
 * Data adapters: how many registrations become documents in a second, in one process without a network, and through a
 * plain nats-server into a stream that acknowledges each.
 */
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { adapterDocument, adapterSettings, requestIntake, startAdapter } from "../../lib/adapters/mod.ts";
import { configFrom } from "../../lib/config/mod.ts";
import { connectBroker } from "../../lib/connector/mod.ts";
import { encodeUtf8, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { registration, signedBy } from "../adapters/_messages.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNats } from "../support/nats.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { median, report } from "./report.ts";

const nodes = 1_000;
const perNode = 20;
const rounds = 5;
const topic = "choria.broadcast.agent.registration";

const organization = new TestOrganization();
const trust = { issuers: organization.issuers };
/** Inventories of real nodes are about this long once they are compressed. */
const body = encodeUtf8(
  JSON.stringify({ protocol: "choria:registration:inventorycontent:1", zcontent: "H4sIAAAA".repeat(190) }),
);
const members = await Promise.all(
  Array.from({ length: nodes }, async (_, i) => {
    const identity = `n${i}.example.net`;
    return { identity, member: await organization.server({ identity, collectives: ["choria"] }) };
  }),
);

function publications(): Uint8Array[] {
  const made = Array.from({ length: perNode }, () =>
    members.map(({ identity, member }) => registration(identity, signedBy(member), { body })),
  );
  return made.flat();
}

async function inOneProcess(acceptUnverified: boolean): Promise<number> {
  const intake = requestIntake({ trust, clock: systemClock, acceptUnverified });
  const messages = publications();
  const start = performance.now();
  let next = 0;
  const work = async () => {
    for (let message = messages[next++]; message !== undefined; message = messages[next++]) {
      adapterDocument(await intake(message), "choria.node_metadata.%s");
    }
  };
  await Promise.all(Array.from({ length: 10 }, work));
  return (messages.length * 1_000) / (performance.now() - start);
}

async function throughNats(storage: StorageType): Promise<number> {
  using folder = temporaryFolder();
  await using nats = await startNats(`jetstream { store_dir: "${folder.path}" }`);
  const connect = (name: string) =>
    connectBroker({
      servers: [nats.address],
      name,
      login: () => ({}),
      inboxPrefix: "_INBOX",
      logger: silentLogger,
      tls: false,
    });
  await using nodesConnection = await connect("nodes");
  const manager = await jetstreamManager(nodesConnection.nats);
  await manager.streams.add({ name: "REG", subjects: ["choria.node_metadata.>"], storage });
  const config = configFrom({
    "plugin.choria.adapter.reg.type": "choria_streams",
    "plugin.choria.adapter.reg.stream.topic": "choria.node_metadata.%s",
    "plugin.choria.adapter.reg.ingest.topic": topic,
    "plugin.choria.adapter.reg.ingest.protocol": "request",
    "plugin.choria.adapter.reg.queue_len": String(nodes * perNode),
  });
  const adapter = await startAdapter(adapterSettings(config, "reg"), {
    connect,
    inboxPrefix: "_INBOX",
    trust,
    clock: systemClock,
    logger: silentLogger,
  });
  const messages = publications();
  const start = performance.now();
  const stored = () => adapter.counts.total("output").published;
  for (const [index, message] of messages.entries()) {
    // What no queue could hold is thrown away, and nothing is measured by that.
    while (index % 100 === 0 && index - stored() > 5_000) await Bun.sleep(1);
    nodesConnection.publish(topic, message);
  }
  await waitFor("the documents", () => stored() === messages.length, 60_000);
  const took = performance.now() - start;
  await adapter.stop();
  return (messages.length * 1_000) / took;
}

async function measure(work: string, run: () => Promise<number>): Promise<void> {
  const rates: number[] = [];
  await run();
  for (let round = 0; round < rounds; round++) rates.push(await run());
  report({ work, value: median(rates), unit: "a second" });
}

console.log(`${nodes} nodes, ${body.length} bytes each`);
await measure("registrations verified and written as documents", () => inOneProcess(false));
await measure("the same, unverified", () => inOneProcess(true));
await measure("through nats-server into a stream in memory", () => throughNats(StorageType.Memory));
await measure("through nats-server into a stream on disk", () => throughNats(StorageType.File));
