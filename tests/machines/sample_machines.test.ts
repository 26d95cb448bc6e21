import { afterEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { inspectManifest } from "../../lib/machine/mod.ts";
import type { JsonObject } from "../../lib/std/mod.ts";
import { checkout } from "../cmd/support.ts";
import { temporaryFolder } from "../support/folder.ts";
import { waitFor } from "../support/wait.ts";

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function newFolder() {
  const folder = temporaryFolder();
  cleanups.push(() => folder[Symbol.dispose]());
  return folder;
}

/** One of the checkout's machines as a node runs it: from a copy in a store of its own, with `choria` on its PATH. */
async function run(name: string, { statusFile = "", data }: { statusFile?: string; data?: object } = {}) {
  const root = newFolder().path;
  const store = join(root, "machine");
  cpSync(join(checkout, "machines", name), join(store, name), { recursive: true });
  if (data !== undefined) writeFileSync(join(store, name, "machine_data.json"), JSON.stringify(data));
  const PATH = [process.env.PATH, dirname(process.execPath), checkout].join(delimiter);
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "support/host.ts"), store, statusFile, root], {
    env: { ...process.env, PATH },
    stdin: "pipe",
    stdout: "pipe",
  });
  let state: JsonObject = {};
  void (async () => {
    let text = "";
    for await (const part of child.stdout) {
      text += new TextDecoder().decode(part);
      const last = text.trimEnd().split("\n").at(-1) ?? "";
      if (text.endsWith("\n")) [state] = JSON.parse(last);
    }
  })();
  cleanups.push(async () => {
    child.kill();
    await child.exited;
  });
  return { root, state: () => state, fire: (event: string) => child.stdin.write(`${name} ${event}\n`) };
}

describe("sample machines", () => {
  for (const name of ["facts", "check_choria"]) {
    test(`${name} has a manifest without a fault`, () => {
      const text = readFileSync(join(checkout, "machines", name, "machine.yaml"), "utf8");
      expect(inspectManifest(text)).toMatchObject({ faults: [], warnings: [] });
    });
  }
});

describe("the machine facts", () => {
  test("gathers at once, two folders up", async () => {
    const { state, root } = await run("facts");
    const file = join(root, "facts.json");
    await waitFor("facts", () => existsSync(file));
    const facts = JSON.parse(readFileSync(file, "utf8"));
    expect(Object.keys(facts.bios).sort()).toEqual(["date", "vendor", "version"]);
    expect(facts.memory.size).toBeGreaterThan(0);
    expect(state()).toMatchObject({ state: "GATHER", availableTransitions: ["enter_maintenance"] });
  });

  test("gathers to where its data says", async () => {
    const file = newFolder().file("elsewhere facts.json");
    await run("facts", { data: { facts_file: file } });
    await waitFor("facts", () => existsSync(file));
  });

  test("leaves the facts alone while it rests, and gathers when that ends", async () => {
    const { fire, state, root } = await run("facts");
    const file = join(root, "facts.json");
    await waitFor("facts", () => existsSync(file));
    fire("enter_maintenance");
    await waitFor("rest", () => state().state === "MAINTENANCE");
    writeFileSync(file, "{}");
    fire("resume");
    await waitFor("new facts", () => readFileSync(file, "utf8").includes("memory"));
  });
});

describe("the machine check_choria", () => {
  const status = (changes: object) =>
    JSON.stringify({
      identity: "n1.example.net",
      uptime: 60,
      connected_server: "nats://127.0.0.1:4222",
      last_message: Math.floor(Date.now() / 1_000),
      provisioning_mode: false,
      stats: { total: 1, valid: 1, invalid: 0, passed: 1, filtered: 0, replies: 1, ttlexpired: 0, events: 1 },
      certificate_expires: "0001-01-01T00:00:00Z",
      token_expires: "0001-01-01T00:00:00Z",
      ...changes,
    });

  test("is OK with a server that is, tells Prometheus, and turns CRITICAL with it", async () => {
    const file = newFolder().file("status.json");
    writeFileSync(file, status({}));
    const { fire, state, root } = await run("check_choria", { statusFile: file });
    await waitFor("a check", () => state().state === "OK");
    expect(state()).toMatchObject({ scout: true, currentState: { status: "OK", plugin: "choria_status" } });
    const textFile = join(root, "choria_machine_nagios_watcher_status.prom");
    const line = 'choria_machine_nagios_watcher_status{name="check_choria",status="OK"} 0\n';
    await waitFor("Prometheus' text file", () => existsSync(textFile) && readFileSync(textFile, "utf8").includes(line));
    writeFileSync(file, status({ connected_server: "" }));
    fire("FORCE_CHECK");
    await waitFor("what is wrong", () => state().state === "CRITICAL");
    expect(state().currentState).toMatchObject({
      output: expect.stringMatching(/^CRITICAL: Not connected to any server/),
    });
  });
});
