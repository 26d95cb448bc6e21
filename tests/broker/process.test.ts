import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { startBroker } from "../../lib/broker/mod.ts";
import { configFrom, formatConf } from "../../lib/config/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { testBrokerSettings } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { canConnect, natsServerPath } from "../support/nats.ts";
import { TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { commandLine } from "../support/processes.ts";
import { waitFor } from "../support/wait.ts";

const program = resolve(import.meta.dir, "../../cmd/broker.ts");
const organization = new TestOrganization();
const children: Bun.Subprocess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGTERM");
    await child.exited;
  }
});

interface Running {
  child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  port: number;
  pidFile: string;
  store: string;
}

/** Start the program on a free port and wait until it says that it is ready. */
async function launch(file: (name: string) => string, port: number): Promise<Running> {
  const store = file("streams");
  const log = file("broker.log");
  const settings = { "plugin.choria.network.client_port": String(port), logfile: log };
  const conf = await testBrokerSettings(file, { organization, settings });
  writeFileSync(file("broker.conf"), formatConf(Object.entries(conf)));
  const before = existsSync(log) ? readFileSync(log, "utf8").length : 0;
  const args = ["run", program, "--config", file("broker.conf"), "--pid", file("broker.pid")];
  const child = Bun.spawn([process.execPath, ...args], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  children.push(child);
  await waitFor("the broker to be ready", () => {
    if (child.exitCode !== null) throw new Error(`The broker ended with ${child.exitCode}`);
    return existsSync(log) && readFileSync(log, "utf8").slice(before).includes("Network Broker is ready");
  });
  return { child, port, pidFile: file("broker.pid"), store };
}

test("the program runs until it is asked to end, and leaves nothing behind", async () => {
  using folder = temporaryFolder();
  const { child, port, pidFile, store } = await launch(folder.file, await freePort());
  expect(readFileSync(pidFile, "utf8")).toBe(String(child.pid));
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(await canConnect(port)).toBe(false);
  expect([existsSync(pidFile), existsSync(join(store, "broker"))]).toEqual([false, false]);
});

test("a nats-server whose broker is killed is gone before the next broker serves, and the port is free for it", async () => {
  using folder = temporaryFolder();
  const first = await launch(folder.file, await freePort());
  const record: { pid: number } = JSON.parse(readFileSync(join(first.store, "broker", "nats-server.json"), "utf8"));
  first.child.kill("SIGKILL");
  await first.child.exited;
  const second = await launch(folder.file, first.port);
  expect(second.child.exitCode).toBeNull();
  const next: { pid: number } = JSON.parse(readFileSync(join(first.store, "broker", "nats-server.json"), "utf8"));
  expect(next.pid).not.toBe(record.pid);
  expect(commandLine(record.pid)).not.toContain("nats-server");
});

test("a nats-server that outlived its broker is ended by the next one", async () => {
  using folder = temporaryFolder();
  const port = await freePort();
  const conf = folder.file("streams/broker/nats.conf");
  mkdirSync(folder.file("streams/broker"), { recursive: true });
  writeFileSync(conf, JSON.stringify({ host: "127.0.0.1", port }));
  const orphan = Bun.spawn([natsServerPath(), "-c", conf], { stdout: "ignore", stderr: "ignore" });
  await waitFor("the orphan to listen", () => canConnect(port));
  // Its parent is this process; a record that names another one stands for a broker that is gone.
  const record = { pid: orphan.pid, parent: 999_999_999, configFile: conf };
  writeFileSync(folder.file("streams/broker/nats-server.json"), JSON.stringify(record));
  await using broker = await startBroker(await config(folder.file, { port }), { logger: silentLogger });
  await orphan.exited;
  expect(broker.ports.client).toBe(port);
});

test("a process that only happens to have the recorded id is left alone", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.file("streams/broker"), { recursive: true });
  const bystander = Bun.spawn(["sleep", "60"]);
  const record = { pid: bystander.pid, parent: 999_999_999, configFile: folder.file("streams/broker/nats.conf") };
  writeFileSync(folder.file("streams/broker/nats-server.json"), JSON.stringify(record));
  await using _broker = await startBroker(await config(folder.file), { logger: silentLogger });
  expect(bystander.exitCode).toBeNull();
  bystander.kill("SIGKILL");
  await bystander.exited;
});

test("a second broker does not touch the streams of a running one", async () => {
  using folder = temporaryFolder();
  const { child } = await launch(folder.file, await freePort());
  const second = startBroker(await config(folder.file), { logger: silentLogger });
  await expect(second).rejects.toThrow(`another one with process id ${child.pid} uses`);
  expect(child.exitCode).toBeNull();
});

test("a port that is taken is told as nats-server tells it", async () => {
  using folder = temporaryFolder();
  const port = await freePort();
  using _taken = listen(port);
  const starting = startBroker(await config(folder.file, { port }), { logger: silentLogger });
  await expect(starting).rejects.toThrow(/nats-server ended with exit code 1: .*address already in use/);
});

test("what is written for nats-server is for its owner only and holds no secret", async () => {
  using folder = temporaryFolder();
  await using _broker = await startBroker(await config(folder.file), { logger: silentLogger });
  const file = folder.file("streams/broker/nats.conf");
  expect((await Bun.file(file).stat()).mode & 0o777).toBe(0o600);
  expect((await Bun.file(folder.file("streams/broker/ports")).stat()).mode & 0o777).toBe(0o700);
  const document: unknown = JSON.parse(readFileSync(file, "utf8"));
  expect(JSON.stringify(document)).not.toMatch(/s3cret|"system":"|password|S[UA][A-Z2-7]{56}/);
});

test("without a configuration, or one that cannot be used, the program says why and ends with 1", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("empty.conf"), "logfile = discard\n");
  const run = async (...args: string[]) => {
    const child = Bun.spawn([process.execPath, "run", program, ...args], { stdout: "pipe", stderr: "pipe" });
    const text = await new Response(child.stderr).text();
    return [await child.exited, text.trim()];
  };
  expect(await run()).toEqual([1, "choria broker: configuration file required"]);
  expect(await run("--config", folder.file("empty.conf"))).toEqual([
    1,
    "choria broker: all broker features are disabled",
  ]);
});

async function config(file: (name: string) => string, options: { port?: number } = {}) {
  const settings = options.port === undefined ? {} : { "plugin.choria.network.client_port": String(options.port) };
  return configFrom(await testBrokerSettings(file, { organization, settings }));
}

function listen(port: number): Disposable {
  const server = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  return { [Symbol.dispose]: () => server.stop(true) };
}
