/** What autonomous agents cost a server: memory and processor time at rest, a check, and the way from folder to work. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeManifest, MachineGroup, type MachineNode, watcherKind } from "../../lib/machine/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { serverSettings } from "../server/support/server.ts";
import { startTestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { testNode } from "../support/machine.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { median, memoryOf, report } from "./report.ts";

const seconds = Number(process.env.MACHINE_SECONDS ?? 60);
const runs = Number(process.env.MACHINE_RUNS ?? 51);
const checkout = join(import.meta.dir, "../..");
const ticksPerSecond = 100;

/** A check every half minute, as most are. */
const check = (name: string) => `name: ${name}
version: 1.0.0
initial_state: UNKNOWN
transitions:
${["UNKNOWN", "OK", "WARNING", "CRITICAL"]
  .map((state) => `  - {name: ${state}, from: [UNKNOWN, OK, WARNING, CRITICAL], destination: ${state}}`)
  .join("\n")}
watchers:
  - {name: check, type: nagios, interval: 30s, properties: {plugin: "/bin/true"}}
`;

using folder = temporaryFolder();
const organization = new TestOrganization();
await using broker = await startTestBroker({ organization });
const network = { address: broker.address, organization, file: folder.file };

/** Put a machine into a store in one step. */
function drop(store: string, name: string, manifest: string): void {
  mkdirSync(join(store, `.${name}`), { recursive: true });
  writeFileSync(join(store, `.${name}`, "machine.yaml"), manifest);
  renameSync(join(store, `.${name}`), join(store, name));
}

/** Processor time of a process and of the programs that it has run, in milliseconds. Linux only. */
function processorTime(pid: number): number {
  const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(/\) /);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.split(" ").slice(11, 15).map(Number);
  return ((user + system + childUser + childSystem) / ticksPerSecond) * 1_000;
}

async function serverAtRest(count: number): Promise<void> {
  const identity = `n${count}.example.net`;
  const store = folder.file(`store${count}`);
  for (let at = 0; at < count; at++) drop(store, `check_${at}`, check(`check_${at}`));
  const status = folder.file(`status${count}.json`);
  const settings = await serverSettings(network, identity, {
    loglevel: "error",
    "plugin.choria.status_file_path": status,
    ...(count === 0 ? {} : { "plugin.choria.machine.store": store }),
  });
  const config = folder.file(`server${count}.conf`);
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(""),
  );
  const server = Bun.spawn([join(checkout, "choria"), "server", "run", "--config", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    await waitFor("the server", () => Bun.file(status).exists());
    // The checks have been made once by then.
    await systemClock.sleep(35_000);
    const before = processorTime(server.pid);
    await systemClock.sleep(seconds * 1_000);
    const used = processorTime(server.pid) - before;
    const { resident, private: own } = await memoryOf(server.pid);
    report({ work: `server with ${count} machines, resident`, value: resident, unit: "MB" });
    report({ work: `server with ${count} machines, private`, value: own, unit: "MB" });
    report({
      work: `server with ${count} machines, processor time a minute`,
      value: (used / seconds) * 60,
      unit: "ms",
    });
  } finally {
    server.kill("SIGTERM");
    await server.exited;
  }
}

async function oneCheck(): Promise<void> {
  const times: number[] = [];
  const spawned: number[] = [];
  const node: MachineNode = testNode({ clock: systemClock });
  const announced: (() => void)[] = [];
  const group = new MachineGroup({
    node,
    logger: silentLogger,
    kinds: watcherKind,
    onEvent: (event) => {
      if (event.kind === "watcher") announced.shift()?.();
    },
  });
  mkdirSync(folder.file("one"));
  const text = check("one").replace("type: nagios, interval: 30s", "type: exec").replace("plugin:", "command:");
  const machine = group.add(folder.file("one"), decodeManifest(text).manifest);
  await machine.start();
  for (let run = 0; run < runs; run++) {
    const started = performance.now();
    const told = new Promise<void>((resolve) => announced.push(resolve));
    machine.fireNow(run % 2 === 0 ? "OK" : "WARNING");
    await told;
    times.push(performance.now() - started);
    const bare = performance.now();
    await Bun.spawn(["/bin/true"], { stdout: "ignore" }).exited;
    spawned.push(performance.now() - bare);
  }
  group.stop();
  report({ work: "a command of a machine, from transition to announcement", value: median(times), unit: "ms" });
  report({ work: "  beyond starting the program", value: median(times) - median(spawned), unit: "ms" });
}

async function folderToWork(): Promise<void> {
  const { startMachineHost } = await import("../../lib/machine/mod.ts");
  const store = folder.file("dropped");
  const host = await startMachineHost({ store, node: testNode({ clock: systemClock }), logger: silentLogger });
  const times: number[] = [];
  for (let run = 0; run < Math.min(runs, 11); run++) {
    const started = performance.now();
    drop(store, `check_${run}`, check(`check_${run}`));
    await waitFor("the machine", () => (host.find({ name: `check_${run}` })[0]?.startTime ?? 0) > 0);
    times.push(performance.now() - started);
  }
  await host.stop();
  report({ work: "from a dropped folder to a running machine", value: median(times), unit: "ms" });
}

await folderToWork();
await oneCheck();
for (const count of [0, 3, 100]) await serverAtRest(count);
