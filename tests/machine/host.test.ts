import { afterEach, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { decodeManifest, type MachineHost, type MachineHostOptions, startMachineHost } from "../../lib/machine/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { testNode } from "../support/machine.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

const timer = (name: string, watcher = "type: timer") => `name: ${name}
version: 1.0.0
initial_state: A
transitions: [{name: go, from: [A], destination: B}]
watchers: [{name: w, ${watcher}}]
`;

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function start(options: Partial<MachineHostOptions> = {}) {
  const folder = temporaryFolder();
  ended.push(() => folder[Symbol.dispose]());
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const store = folder.file("store");
  const put = (place: string, manifest: string) => {
    mkdirSync(`${store}/${place}`, { recursive: true });
    writeFileSync(`${store}/${place}/machine.yaml`, manifest);
  };
  const host = await startMachineHost({ store, node: testNode({ clock }), logger, ...options });
  ended.push(() => host.stop());
  return { host, clock, logger, store, put, folder };
}

const names = (host: MachineHost) => host.states().map(({ name }) => name);

describe("a host of machines", () => {
  test("takes folders with a manifest and passes over what is on its way", async () => {
    const { host, put, store, logger } = await start();
    for (const place of ["a", "tmp", ".hidden", "b-temp"]) put(place, timer(place.replace(/\W/g, "")));
    mkdirSync(`${store}/empty`);
    writeFileSync(`${store}/file`, "");
    symlinkSync(`${store}/a`, `${store}/link`);
    await host.scan();
    await host.scan();
    expect(names(host)).toEqual(["a"]);
    // Each fault is told once, however often the store is looked at.
    expect(logger.lines.filter(({ level }) => level === "error").map(({ message }) => message)).toEqual([
      `Could not load a machine: cannot read ${store}/empty/machine.yaml`,
    ]);
    expect(logger.messages[0]).toMatch(/^Loaded Autonomous Agent a version 1\.0\.0 from .*\/store\/a \([\da-f]{64}\)$/);
  });

  test("notices what the system does not tell of within ten seconds", async () => {
    const { host, clock, put, store } = await start();
    put("a", timer("a"));
    await clock.advance(10_000);
    await host.scan();
    expect(names(host)).toEqual(["a"]);
    rmSync(`${store}/a`, { recursive: true });
    await clock.advance(10_000);
    await host.scan();
    expect(names(host)).toEqual([]);
  });

  test("loads a folder that is copied file by file", async () => {
    const { host, put, store, folder } = await start();
    put("../other", timer("a"));
    cpSync(folder.file("other"), `${store}/a`, { recursive: true });
    await waitFor("the machine", () => names(host).length === 1);
  });

  test("tries again what did not start, and keeps it in the list", async () => {
    const { host, put, logger } = await start();
    put("a", timer("a", "type: exec"));
    await host.scan();
    await host.scan();
    expect(host.states()).toMatchObject([{ name: "a", startTime: -62_135_596_800 }]);
    const fault =
      "a#a: Could not start manager: could not create exec watcher 'w': could not set properties: command is required";
    expect(logger.messages.filter((message) => message === fault)).toHaveLength(1);
    put("a", timer("a"));
    await host.scan();
    expect(host.states()[0]?.startTime).toBeGreaterThan(0);
  });

  test("warns of keys that mean nothing", async () => {
    const { host, put, logger } = await start();
    put("a", `${timer("a")}bogus: 1\n`);
    await host.scan();
    expect(logger.lines.at(-1)).toMatchObject({
      level: "warn",
      message: 'In a manifest the key "bogus" of the manifest means nothing',
      fields: { machine: "a", line: 6 },
    });
  });

  test("runs machines that are no folders, and nobody else's in their place", async () => {
    const { manifest } = decodeManifest(timer("inside"));
    const { host, put, store } = await start({ embedded: [manifest] });
    put("inside", timer("intruder"));
    await host.scan();
    expect(names(host)).toEqual(["inside"]);
    expect(statSync(`${store}/inside`).mode & 0o777).toBe(0o700);
    rmSync(`${store}/inside`, { recursive: true });
    await host.scan();
    expect(names(host)).toEqual(["inside"]);
  });

  test("survives a store that goes away and comes back", async () => {
    const { host, put, store, logger } = await start();
    put("a", timer("a"));
    await host.scan();
    rmSync(store, { recursive: true });
    await host.scan();
    expect(logger.messages.some((message) => message.startsWith("The machine store cannot be looked at"))).toBeTrue();
    put("b", timer("b"));
    await host.scan();
    expect(names(host)).toEqual(["b"]);
  });

  test("follows a folder that was made anew under the same name", async () => {
    const { host, put, store } = await start();
    put("a", timer("a"));
    await waitFor("the machine", () => names(host).length === 1);
    rmSync(`${store}/a`, { recursive: true });
    put("a", timer("b"));
    await waitFor("the other machine", () => names(host)[0] === "b");
    put("a", timer("c"));
    await waitFor("the third machine", () => names(host)[0] === "c");
  });

  test("serves switches over HTTP", async () => {
    const port = await freePort();
    const { host, put } = await start({ httpPort: port });
    put(
      "lamp",
      `name: lamp
version: 1.0.0
initial_state: DARK
transitions: [{name: light, from: [DARK], destination: LIT}, {name: dim, from: [LIT], destination: DARK}]
watchers:
  - {name: sw, type: httpswitch, success_transition: light, fail_transition: dim, properties: {on_when: [LIT], off_when: [DARK]}}
`,
    );
    await host.scan();
    const url = `http://127.0.0.1:${port}/choria/machine/switch/v1/lamp/sw`;
    expect(await (await fetch(url)).json()).toMatchObject({ is_on: false, is_off: true, status: "off" });
    const pressed = await fetch(url, { method: "POST", body: '{"on":true}' });
    expect(await pressed.json()).toEqual({ is_on: true });
    expect(host.states()[0]?.state).toBe("LIT");
    expect((await fetch(`${url}x`)).status).toBe(400);
    expect((await fetch(url, { method: "POST", body: "x".repeat(100_000) })).status).toBe(413);
    await host.stop();
    expect(fetch(url)).rejects.toThrow();
  });

  test("runs without HTTP where the port is taken", async () => {
    using taken = Bun.serve({ port: 0, fetch: () => new Response("") });
    const { host, put, logger } = await start({ httpPort: taken.port ?? 0 });
    put("a", timer("a"));
    await host.scan();
    expect(names(host)).toEqual(["a"]);
    expect(logger.messages).toContain("Switches and metrics are not served");
  });

  test("leaves neither timers nor watches behind", async () => {
    const { host, clock, put, store } = await start();
    put("a", timer("a"));
    await host.scan();
    expect(clock.pending).toBe(2);
    await host.stop();
    await host.stop();
    expect(clock.pending).toBe(0);
    put("b", timer("b"));
    await host.scan();
    expect(names(host)).toEqual(["a"]);
    expect(readdirSync(store).sort()).toEqual(["a", "b"]);
  });
});
