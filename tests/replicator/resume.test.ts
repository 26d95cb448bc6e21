import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { temporaryFolder } from "../support/folder.ts";
import { waitFor } from "../support/wait.ts";
import { fill, StreamServer, sourceSequences, upTo } from "./support.ts";

const program = resolve(import.meta.dir, "../../cmd/replicator.ts");
const victims = ["source", "target", "replicator"] as const;

test("source, target and replicator may be killed at any time: the target holds each message once and in order", async () => {
  await expectSurvival(50_000, {});
}, 120_000);

test("so it is where nothing is left in the source", async () => {
  await expectSurvival(20_000, { target_initiated: true, filter_subject: "orders.>" });
}, 120_000);

/** Copy so many messages of 1 KB while ten times, somewhere on the way, one of the three processes is killed. */
async function expectSurvival(count: number, settings: Record<string, unknown>): Promise<void> {
  using folder = temporaryFolder();
  for (const side of ["source", "target"]) mkdirSync(folder.file(side));
  await using source = await StreamServer.start(folder.file("source"));
  await using target = await StreamServer.start(folder.file("target"));
  await source.stream("ORDERS", ["orders.>"]);
  await fill(source, "ORDERS", "orders", count, 1_024);
  const entry = {
    stream: "ORDERS",
    source_url: source.url,
    target_url: target.url,
    target_stream: "COPY",
    ...settings,
  };
  await Bun.write(folder.file("sr.yaml"), JSON.stringify({ name: "SITE1", streams: [entry] }));
  const command = [process.execPath, program, "replicate", "--config", folder.file("sr.yaml")];
  const start = () => Bun.spawn(command, { stderr: Bun.file(folder.file("log")), stdout: "ignore" });
  let replicator = start();
  try {
    for (let round = 0; round < 10; round++) {
      const victim = victims[round < 9 ? round % 3 : Math.floor(Math.random() * 3)] ?? "target";
      const from = Math.floor(count * ((round + Math.random()) / 11));
      await waitFor(`message ${from}`, async () => (await target.count("COPY")) >= from, 30_000);
      if (victim === "source") await source.kill().then(() => source.start());
      else if (victim === "target") await target.kill().then(() => target.start());
      else {
        replicator.kill("SIGKILL");
        await replicator.exited;
        replicator = start();
      }
    }
    await waitFor("all messages", async () => (await target.count("COPY")) >= count, 60_000);
    // What came twice would come now.
    if (settings.target_initiated !== true) await waitFor("all to be acknowledged", () => isDone(source), 30_000);
  } finally {
    replicator.kill("SIGTERM");
    await replicator.exited;
  }
  expect(sourceSequences(await target.messages("COPY"))).toEqual(upTo(count));
}

async function isDone(source: StreamServer): Promise<boolean> {
  const info = await source.api("CONSUMER.INFO.ORDERS.SR_SITE1").catch(() => undefined);
  return info?.num_pending === 0 && info.num_ack_pending === 0;
}
