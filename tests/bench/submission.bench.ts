/** Messages a second into the spool, out of it as plain messages, and out of it into a stream on disk. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connectBroker } from "../../lib/connector/mod.ts";
import { generateKey } from "../../lib/crypto/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { type NewMessage, Spool, startSubmitter } from "../../lib/submission/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNats } from "../support/nats.ts";
import { waitFor } from "../support/wait.ts";
import { report } from "./report.ts";

const count = 2_000;
const payload = crypto.getRandomValues(new Uint8Array(512));

using folder = temporaryFolder();
await using nats = await startNats(`jetstream { store_dir: "${folder.file("streams")}" }`);
await using connection = await connectBroker({
  servers: [nats.address],
  name: "bench",
  login: () => ({}),
  inboxPrefix: "choria.reply",
  tls: false,
  logger: silentLogger,
});
const manager = await jetstreamManager(connection.nats);
await manager.streams.add({ name: "SUBMIT", subjects: ["choria.submission.in.reliable"] });
const key = generateKey();
const spool = new Spool({ folder: folder.file("spool"), maxSize: count, clock: systemClock });
const waiting = () => [0, 1, 2, 3, 4].reduce((sum, priority) => sum + spool.names(priority).length, 0);

function submit(fields: Partial<NewMessage>, spread = false): void {
  for (let i = 0; i < count; i++) {
    const priority = spread ? i % 5 : 4;
    spool.submit({ subject: "plain", payload, sender: "bench", identity: "bench", priority, ...fields });
  }
}

async function rate(work: string, run: () => unknown): Promise<void> {
  const start = performance.now();
  await run();
  report({ work, value: (count * 1_000) / (performance.now() - start), unit: "a second" });
}

async function send(): Promise<void> {
  const signer = () => ({ token: "a.b.c", key });
  const options = { spool, connection, collective: "choria", signer, clock: systemClock, logger: silentLogger };
  await using _submitter = startSubmitter(options);
  await waitFor("the spool to be empty", () => waiting() === 0, 120_000);
}

await rate("Submit 512 bytes, synced to disk", () => submit({}));
await rate("Send plain messages", send);
submit({ subject: "reliable", reliable: true });
await rate("Send reliable messages of one priority to a stream", send);
submit({ subject: "reliable", reliable: true }, true);
await rate("Send reliable messages of five priorities to a stream", send);
submit({ subject: "reliable", reliable: true, sign: true });
await rate("Send signed reliable messages of one priority to a stream", send);

const latencies: number[] = [];
{
  const signer = () => ({ token: "a.b.c", key });
  const options = { spool, connection, collective: "choria", signer, clock: systemClock, logger: silentLogger };
  await using _submitter = startSubmitter(options);
  await Bun.sleep(200);
  for (let i = 0; i < 50; i++) {
    const arrived = Promise.withResolvers<void>();
    const subscription = connection.subscribe("choria.submission.in.timed", () => arrived.resolve());
    await connection.flush();
    const start = performance.now();
    spool.submit({ subject: "timed", payload, sender: "bench", identity: "bench" });
    await arrived.promise;
    latencies.push(performance.now() - start);
    subscription.unsubscribe();
  }
}
latencies.sort((a, b) => a - b);
// The original looks once a second, so that a message waits for half a second on average.
report({
  work: "From submitting to arriving, middle one of 50",
  value: latencies[25] ?? Number.NaN,
  unit: "ms",
  original: 500,
});
