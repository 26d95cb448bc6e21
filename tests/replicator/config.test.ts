import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { parseReplicatorConfig, parseReplicatorDuration } from "../../lib/replicator/mod.ts";
import vectors from "../fixtures/replicator/config-validation.json";
import { temporaryFolder } from "../support/folder.ts";

const refusal = /^stream-replicator: error: (.*)\n$/;
/** Ours has a parser of its own for YAML, which names the line and says it in its own words. */
const ownWords = "bad_yaml";

describe("a configuration that the original refuses is refused in the same words", () => {
  for (const { name, yaml, stderr } of vectors) {
    const text = refusal.exec(stderr)?.[1];
    if (text === undefined || name === ownWords) continue;
    test(name, () => {
      let found = "";
      try {
        parseReplicatorConfig(yaml);
      } catch (error) {
        found = error instanceof Error ? error.message : "";
      }
      expect(found).toBe(text);
    });
  }

  test("damaged YAML names its line", () => {
    expect(() => parseReplicatorConfig("name: [\n")).toThrow(/^yaml: line \d: /);
  });
});

describe("a configuration that the original takes is taken", () => {
  for (const { name, yaml, stderr } of vectors) {
    if (refusal.test(stderr)) continue;
    test(name, () => expect(parseReplicatorConfig(yaml).name).toBe("A"));
  }
});

test("keys match whatever their case, and the most specific TLS and login win whole", () => {
  const { entries, ...config } = parseReplicatorConfig(`
NAME: COMPOSE
Monitor_Port: 8082
tls: {ca: a, cert: b, key: c}
choria: {seed_file: s, jwt_file: j, collective: choria}
streams:
  - STREAM: ORDERS
    source_url: nats://a
    target_url: nats://b
    source_tls: {ca: x}
    target_choria: {seed_file: t}
    inspect_field: sender
    inspect_duration: 20m
`);
  expect(config.monitorPort).toBe(8_082);
  const [entry] = entries;
  expect(entry?.name).toBe("COMPOSE");
  expect(entry?.targetStream).toBe("ORDERS");
  expect(entry?.sourceTls).toEqual({ ca: "x", cert: "", key: "" });
  expect(entry?.targetTls).toEqual({ ca: "a", cert: "b", key: "c" });
  expect(entry?.sourceChoria).toEqual({ seedFile: "s", tokenFile: "j", collective: "choria" });
  expect(entry?.targetChoria).toEqual({ seedFile: "t", tokenFile: "", collective: "" });
  expect(entry?.warnDuration).toBe(600_000);
});

test("heartbeats have an interval and headers of their own, over those of all", () => {
  const { heartbeats } = parseReplicatorConfig(`
name: A
heartbeats:
  url: nats://a
  headers: {from: lab}
  subjects:
    - subject: one
    - {subject: two, interval: 5s, headers: {from: other, extra: "true"}}
`);
  expect(heartbeats?.subjects).toEqual([
    { subject: "one", interval: 10_000, headers: { from: "lab" } },
    { subject: "two", interval: 5_000, headers: { from: "other", extra: "true" } },
  ]);
});

test("durations take Go's units, and days, weeks, months and years of whole hours", () => {
  const found = ["", " 10s ", "1h30m", "500ms", "2d", "1w", "0.5d", "0.01d", "1M", "1Y"].map(parseReplicatorDuration);
  const hour = 3_600_000;
  expect(found).toEqual([0, 10_000, 1.5 * hour, 500, 48 * hour, 168 * hour, 12 * hour, 0, 720 * hour, 8_760 * hour]);
  expect(() => parseReplicatorDuration("10")).toThrow("invalid time unit 0");
  expect(() => parseReplicatorDuration("xd")).toThrow('strconv.ParseFloat: parsing "x": invalid syntax');
  expect(() => parseReplicatorDuration("1.2.3s")).toThrow('time: missing unit in duration "1.2.3s"');
});

test("the program says what is wrong in one line and exits 1", async () => {
  using folder = temporaryFolder();
  await Bun.write(folder.file("sr.yaml"), "streams: []\n");
  const program = resolve(import.meta.dir, "../../cmd/replicator.ts");
  const run = async (...args: string[]) => {
    const child = Bun.spawn([process.execPath, program, ...args], { stdout: "pipe", stderr: "pipe" });
    return { code: await child.exited, stderr: await child.stderr.text() };
  };
  expect(await run("--config", folder.file("sr.yaml"))).toEqual({
    code: 1,
    stderr: "stream-replicator: error: name is required\n",
  });
  expect(await run("replicate", "--config", "missing.yaml")).toEqual({
    code: 1,
    stderr: "stream-replicator: error: path 'missing.yaml' does not exist\n",
  });
  await Bun.write(folder.file("sr.yaml"), "name: A\nstreams: []\n");
  const { code } = await run("--config", folder.file("sr.yaml"));
  expect(code).toBe(0);
  await Bun.write(
    folder.file("sr.yaml"),
    "name: A\nstreams: [{stream: X, source_url: a, target_url: b, choria: {seed_file: a, jwt_file: nope.jwt}}]\n",
  );
  const failed = await run("--config", folder.file("sr.yaml"));
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain(
    "source connection failed: could not set up choria connection: open nope.jwt: no such file or directory",
  );
});
