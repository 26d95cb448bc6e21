import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseReplicatorConfig, startReplicator } from "../../lib/replicator/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { waitFor } from "../support/wait.ts";
import { fill, StreamServer, sourceSequences, upTo } from "./support.ts";

const folder = temporaryFolder();
let source: StreamServer;
let target: StreamServer;

beforeAll(async () => {
  for (const side of ["source", "target"]) mkdirSync(folder.file(side));
  source = await StreamServer.start(folder.file("source"));
  const permissions = 'permissions { publish { deny: ["denied.3"] } }';
  const users = `authorization { users: [{user: all, password: all}, {user: some, password: some, ${permissions}}] }\nno_auth_user: all`;
  target = await StreamServer.start(folder.file("target"), users);
});

afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function replicate(stream: Record<string, unknown>) {
  const logger = new RecordingLogger();
  const streams = [{ source_url: source.url, target_url: target.url, ...stream }];
  const config = parseReplicatorConfig(JSON.stringify({ name: "SITE1", streams }));
  return Object.assign(startReplicator({ config, logger }), { logger });
}

test("a message that may not be published is not taken for stored because later ones are", async () => {
  await source.stream("DENIED", ["denied.>"]);
  await fill(source, "DENIED", "denied", 20, 20);
  await using running = replicate({ stream: "DENIED", target_url: target.url.replace("//", "//some:some@") });
  await waitFor(
    "the reason",
    () => running.logger.messages.find((text) => text.startsWith("Handling msg 3 failed on try ")),
    20_000,
  );
  const { ack_floor } = await source.api("CONSUMER.INFO.DENIED.SR_SITE1");
  expect(ack_floor).toMatchObject({ stream_seq: 2 });
}, 30_000);

test("two replicators of one name that run by mistake leave nothing out", async () => {
  await source.stream("TWICE", ["twice.>"]);
  await fill(source, "TWICE", "twice", 4_000, 20);
  await using _one = replicate({ stream: "TWICE" });
  await using _two = replicate({ stream: "TWICE" });
  await waitFor("copies", async () => (await target.count("TWICE")) >= 3_000, 20_000);
  await fill(source, "TWICE", "twice", 4_000, 20);
  await waitFor(
    "all to be acknowledged",
    async () => {
      const info = await source.api("CONSUMER.INFO.TWICE.SR_SITE1").catch(() => undefined);
      return info?.num_pending === 0 && info.num_ack_pending === 0;
    },
    30_000,
  );
  expect([...new Set(sourceSequences(await target.messages("TWICE")))].sort((a, b) => a - b)).toEqual(upTo(8_000));
}, 60_000);

test("copies that end up in another stream than the target are told of, and none is left out", async () => {
  await source.stream("ASTRAY", ["astray.>"]);
  await target.stream("ASTRAY", ["astray.unused"]);
  await target.stream("OTHER", ["more.>"]);
  await fill(source, "ASTRAY", "astray", 50, 20);
  const mapping = { target_subject_prefix: "more" };
  await using running = replicate({ stream: "ASTRAY", ...mapping });
  await waitFor("copies", async () => (await target.count("OTHER")) === 50);
  expect(sourceSequences(await target.messages("OTHER"))).toEqual(upTo(50));
  const told = running.logger.messages.filter((text) => text.startsWith("Copies go to another stream"));
  expect(told).toHaveLength(1);
});

test("messages that are large do not stay in memory once they are copied", async () => {
  await source.stream("LARGE", ["large.>"]);
  await fill(source, "LARGE", "large", 700, 500_000);
  const entry = { stream: "LARGE", source_url: source.url, target_url: target.url };
  await Bun.write(folder.file("sr.yaml"), JSON.stringify({ name: "SITE1", streams: [entry] }));
  const program = resolve(import.meta.dir, "../../cmd/replicator.ts");
  const command = [process.execPath, program, "replicate", "--config", folder.file("sr.yaml")];
  const child = Bun.spawn(command, { stderr: "ignore", stdout: "ignore" });
  try {
    await waitFor("copies", async () => (await target.count("LARGE")) === 700, 30_000);
    const status = await Bun.file(`/proc/${child.pid}/status`).text();
    expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])).toBeLessThan(400_000);
  } finally {
    child.kill();
    await child.exited;
  }
}, 60_000);
