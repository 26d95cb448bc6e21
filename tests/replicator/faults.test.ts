import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { parseReplicatorConfig, startReplicator } from "../../lib/replicator/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { waitFor } from "../support/wait.ts";
import { FaultyProxy } from "./proxy.ts";
import { fill, StreamServer, sourceSequences, upTo } from "./support.ts";

const count = 6_000;
/** How long connections are cut, in milliseconds. */
const trouble = 6_000;

for (const settings of [{}, { target_initiated: true, filter_subject: "orders.>" }]) {
  const how = "target_initiated" in settings ? ", where nothing is left in the source" : "";
  test(`connections may be cut at any byte: the target holds each message once and in order${how}`, async () => {
    using folder = temporaryFolder();
    for (const side of ["source", "target"]) mkdirSync(folder.file(side));
    await using source = await StreamServer.start(folder.file("source"));
    await using target = await StreamServer.start(folder.file("target"));
    const faults = { random: Math.random, mostBytes: 600_000 };
    await using sourceProxy = await FaultyProxy.start(source.port, faults);
    await using targetProxy = await FaultyProxy.start(target.port, faults);
    await source.stream("ORDERS", ["orders.>"]);
    await fill(source, "ORDERS", "orders", count, 400);
    const stream = { stream: "ORDERS", source_url: sourceProxy.url, target_url: targetProxy.url, ...settings };
    const logger = new RecordingLogger();
    const config = parseReplicatorConfig(JSON.stringify({ name: "SITE1", streams: [stream] }));
    await using _running = startReplicator({ config, logger });
    const healed = Date.now() + trouble;
    await waitFor(
      "the end of the trouble",
      async () => Date.now() > healed || (await target.count("ORDERS")) >= count,
      trouble + 5_000,
    );
    for (const proxy of [sourceProxy, targetProxy]) proxy.heal();
    await waitFor("all copies", async () => (await target.count("ORDERS")) >= count, 40_000);
    expect(sourceSequences(await target.messages("ORDERS"))).toEqual(upTo(count));
    expect(sourceProxy.cuts + targetProxy.cuts).toBeGreaterThan(0);
  }, 90_000);
}
