import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import advisories from "../fixtures/replicator/limiter/advisories.json";
import cli from "../fixtures/replicator/limiter/cli.json";
import { temporaryFolder } from "../support/folder.ts";
import { waitFor } from "../support/wait.ts";
import { StreamServer } from "./support.ts";

const program = resolve(import.meta.dir, "../../cmd/replicator.ts");
const folder = temporaryFolder();
let nats: StreamServer;

beforeAll(async () => {
  mkdirSync(folder.file("nats"));
  mkdirSync(folder.file("config/nats/context"), { recursive: true });
  mkdirSync(folder.file("state2"));
  nats = await StreamServer.start(folder.file("nats"));
  writeFileSync(folder.file("config/nats/context/lab.json"), JSON.stringify({ url: nats.url }));
  const items = cli.find(({ args }) => args.join(" ") === "admin state state2 --json")?.stdout ?? "[]";
  const list = JSON.parse(items).map(({ value, ...item }: { value: string }) => [value, item]);
  writeFileSync(folder.file("state2/LIM_SITE1.json"), JSON.stringify({ Items: Object.fromEntries(list) }));
  writeFileSync(folder.file("state2/other.json"), "not a table");
});

afterAll(async () => {
  await nats[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function spawn(...args: string[]) {
  const env = { ...process.env, XDG_CONFIG_HOME: folder.file("config"), TZ: "UTC" };
  return Bun.spawn([process.execPath, program, ...args], { stdout: "pipe", stderr: "pipe", cwd: folder.path, env });
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(...args);
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

/** Order and ages differ from run to run in the original, too. */
const comparable = (text: string) =>
  text
    .replace(/ \(\w+\)$/gm, "")
    .split(text.startsWith("[") ? "},{" : text.includes("\n\n") ? "\n\n" : "\n")
    .map((part) => part.replace(/^\[\{|\}\]$/g, "").trim())
    .filter(Boolean)
    .sort();

for (const { args, stdout } of cli.filter(
  ({ args, exit }) => args.slice(0, 3).join(" ") === "admin state state2" && exit === 0,
)) {
  test(`${args.join(" ")} shows what the original shows`, async () => {
    const { code, out } = await run(...args);
    expect(code).toBe(0);
    expect(comparable(out)).toEqual(comparable(stdout));
  });
}

test("advisories are read from the stream that keeps them, of one value where one is named", async () => {
  await nats.stream("ADV", ["adv.>"]);
  const connection = await nats.nats();
  const timestamp = Math.floor(Date.now() / 1_000);
  for (const [event, value] of [
    ["new", "a"],
    ["timeout", "a"],
    ["new", "b"],
  ]) {
    const advisory = { ...JSON.parse(advisories[0]?.data ?? "{}"), event, value, timestamp, seen: timestamp - 18 };
    connection.publish(`adv.${event}.${value}`, JSON.stringify(advisory));
  }
  connection.publish("adv.junk", "\0");
  await waitFor("the advisories", async () => (await nats.count("ADV")) === 4);
  const all = await run("admin", "advisories", "ADV", "--context", "lab");
  expect(all.code).toBe(0);
  const lines = all.out.split("\n");
  expect(lines.slice(0, 2)).toEqual(["Searching for advisories", ""]);
  expect(lines[3]).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] timeout a seen 18s earlier on SITE1$/);
  const one = await run("admin", "adv", "ADV", "b", "--context", "lab");
  expect(one.out).toMatch(
    /^Searching 4 messages for advisories related to b\n\n\[.*\] {5}new b seen 18s earlier on SITE1\n$/,
  );
});

test("what is missing is told, and the program exits 1", async () => {
  const failures: [string[], string][] = [
    [["admin", "advisories", "ADV"], "a NATS context is required when a default context is not selected"],
    [["admin", "advisories", "ADV", "--context", "none"], 'unknown context "none"'],
    [["admin", "advisories", "NONE", "--context", "lab"], "stream not found (10059)"],
  ];
  for (const [args, text] of failures) {
    const { code, err } = await run(...args);
    expect({ code, err }).toEqual({ code: 1, err: `stream-replicator: error: ${text}\n` });
  }
  expect((await run("admin")).code).toBe(1);
  expect((await run("bogus")).code).toBe(1);
  expect((await run("replicate")).code).toBe(1);
  expect((await run("--version")).code).toBe(0);
});

test("gossip is followed", async () => {
  const child = spawn("admin", "gossip", "--context", "lab");
  const connection = await nats.nats();
  const item = { seen: new Date().toISOString(), copied: "0001-01-01T00:00:00Z", size: 16, value: "zed" };
  const timer = setInterval(
    () => connection.publish("choria.stream-replicator.sync.LIM.SITE1", JSON.stringify(item)),
    50,
  );
  const { value } = await child.stdout.getReader().read();
  clearInterval(timer);
  child.kill();
  expect(new TextDecoder().decode(value)).toStartWith(
    "[LIM.SITE1] size: 16 advised: false: copied: 2562047h47m16.854775807s zed\n",
  );
  await child.exited;
});
