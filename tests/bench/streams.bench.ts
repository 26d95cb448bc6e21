/** How long it takes to list a broker with many connections and many streams, tables and all. */
import { connect as dial, type Socket } from "node:net";
import { jetstreamManager } from "@nats-io/jetstream";
import { streamsTable } from "../../cmd/choria/broker/stream/list.ts";
import { connectBroker } from "../../lib/connector/mod.ts";
import { askBrokers, listConnections } from "../../lib/monitor/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { backupStream, readBackup, restoreStream } from "../../lib/streams/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNats } from "../support/nats.ts";
import { waitFor } from "../support/wait.ts";
import { median, report } from "./report.ts";

const connections = 1_000;
const streams = 200;
const messages = 20_000;

using folder = temporaryFolder();
await using nats = await startNats(`
jetstream { store_dir: "${folder.file("streams")}" }
accounts {
  system { users: [ { user: "system", password: "system" } ] }
  choria { jetstream: enabled, users: [ { user: "choria", password: "choria" } ] }
}
system_account: system`);

function connect(user: string) {
  return connectBroker({
    servers: [nats.address],
    name: user,
    login: () => ({ user, password: user }),
    inboxPrefix: "choria.reply",
    tls: false,
    logger: silentLogger,
  });
}

async function measure(work: string, times: number, run: () => Promise<unknown>): Promise<void> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await run();
    taken.push(performance.now() - start);
  }
  report({ work, value: median(taken), unit: "ms" });
}

await using system = await connect("system");
await using choria = await connect("choria");
const manager = await jetstreamManager(choria.nats, { checkAPI: false });
for (let i = 0; i < streams; i++) await manager.streams.add({ name: `STREAM_${i}`, subjects: [`s.${i}.>`] });
const sockets: Socket[] = Array.from({ length: connections }, (_, i) => {
  const socket = dial(nats.port, "127.0.0.1");
  socket.on("error", () => undefined).resume();
  socket.write(
    `CONNECT {"user":"choria","pass":"choria","name":"node${i}","verbose":false}\r\nSUB a.${i} 1\r\nPING\r\n`,
  );
  return socket;
});
const count = async () => (await listConnections(system, { account: "choria" }, { expect: 1 })).length;
await waitFor("everybody to be connected", async () => (await count()) > connections, 30_000);

await measure("Ask one broker who is there", 21, () => askBrokers(system, undefined, { expect: 1 }));
await measure("List 1,000 connections with their subscriptions", 11, () => listConnections(system, {}, { expect: 1 }));
await measure("List 200 streams as a table", 11, async () =>
  streamsTable(await Array.fromAsync(manager.streams.list()), Date.now()),
);
await measure("List the names of 200 streams", 11, () => Array.fromAsync(manager.streams.names()));

// Messages that are all the same would be compressed to nothing.
for (let i = 0; i < messages; i++) choria.nats.publish("s.0.x", crypto.getRandomValues(new Uint8Array(1_024)));
await choria.flush();
const stored = async () => (await manager.streams.info("STREAM_0")).state.messages;
await waitFor("every message to be stored", async () => (await stored()) === messages, 60_000);
const start = performance.now();
const { bytes } = await backupStream(choria, "STREAM_0", folder.file("backup"));
const rate = (since: number) => bytes / 1_048_576 / ((performance.now() - since) / 1_000);
report({ work: "Back up 20,000 messages of 1 KiB", value: rate(start), unit: "MiB a second" });
const restoring = performance.now();
await restoreStream(choria, readBackup(folder.file("backup")), { changes: { name: "COPY", subjects: ["copy"] } });
report({ work: "Restore them", value: rate(restoring), unit: "MiB a second" });
for (const socket of sockets) socket.destroy();
