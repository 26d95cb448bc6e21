import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { temporaryFolder } from "../support/folder.ts";
import { waitFor } from "../support/wait.ts";
import { fill, StreamServer, sourceSequences, upTo } from "./support.ts";

const program = resolve(import.meta.dir, "../../cmd/replicator.ts");
const count = 50_000;
const victims = ["source", "target", "replicator"] as const;

test("source, target and replicator may be killed at any time: the target holds each message once and in order", async () => {
  using folder = temporaryFolder();
  for (const side of ["source", "target"]) mkdirSync(folder.file(side));
  await using source = await StreamServer.start(folder.file("source"));
  await using target = await StreamServer.start(folder.file("target"));
  await source.stream("ORDERS", ["orders.>"]);
  await fill(source, "ORDERS", "orders", count, 1_024);
  await Bun.write(
    folder.file("sr.yaml"),
    JSON.stringify({
      name: "SITE1",
      streams: [{ stream: "ORDERS", source_url: source.url, target_url: target.url, target_stream: "COPY" }],
    }),
  );
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
    const isAcknowledged = async () => {
      const info = await source.api("CONSUMER.INFO.ORDERS.SR_SITE1").catch(() => undefined);
      return info?.num_pending === 0 && info?.num_ack_pending === 0;
    };
    await waitFor("all to be acknowledged", isAcknowledged, 30_000);
  } finally {
    replicator.kill("SIGTERM");
    await replicator.exited;
  }
  expect(sourceSequences(await target.messages("COPY"))).toEqual(upTo(count));
}, 120_000);
