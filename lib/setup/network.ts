import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { type Clock, isFile, isObject, writeFileAtomic } from "../std/mod.ts";
import { standaloneNatsConf, writeConfiguration } from "./configuration.ts";
import { createCredentials } from "./credentials.ts";
import { defaultPorts, type Layout, type Ports } from "./layout.ts";
import { installMachines, machinePath } from "./machines.ts";
import { installAgents, publishPlugins } from "./plugins.ts";
import { bunCommand, logTail, type ProcessSpec, runningPid, startProcess, stopProcess } from "./process.ts";
import { localSite } from "./site.ts";

/** A network on this machine. */
export interface NetworkOptions {
  layout: Layout;
  /** The checkout, absolute: where `cmd/` is. */
  checkout: string;
  clock: Clock;
  /** Told what is going on, a line at a time. */
  say: (line: string) => void;
}

/** What {@link startNetwork} starts. */
export interface StartOptions {
  /** How many servers; more or fewer than last time scales the network. */
  servers: number;
  /** Longest wait for all servers to be provisioned, in milliseconds. @default 120_000 */
  timeout?: number;
}

/** A role that did not come up. Its message holds the end of the role's log. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Make credentials and configuration, keeping what is there. Ports are remembered once they were chosen. */
export async function prepareNetwork(options: NetworkOptions, ports: Partial<Ports> = {}): Promise<Ports> {
  const { layout, checkout } = options;
  const chosen = { ...defaultPorts, ...readPorts(layout), ...ports };
  // Nobody but the servers needs to know it.
  if (chosen.plugins === 0) chosen.plugins = await freePort();
  if (chosen.nats === 0) chosen.nats = (await isFree(4_223)) ? 4_223 : await freePort();
  if (chosen.replicatorMonitor === 0) chosen.replicatorMonitor = (await isFree(8_082)) ? 8_082 : await freePort();
  mkdirSync(layout.root, { recursive: true, mode: 0o700 });
  const issuer = await createCredentials(layout, `nats://127.0.0.1:${chosen.broker}`);
  const helper = bunCommand(join(checkout, "containers/provisioner/helper.ts"));
  await writeConfiguration(layout, { ports: chosen, issuer, helper, site: localSite(layout) });
  const standalone = standaloneNatsConf(layout, chosen.nats);
  writeFileAtomic(layout.config("nats", "nats.conf"), standalone, { mode: 0o600, makeFolders: true });
  const url = `http://127.0.0.1:${chosen.plugins}`;
  await publishPlugins({ layout, checkout, webFolder: layout.data("plugins"), url });
  writeFileAtomic(layout.network, `${JSON.stringify({ ports: chosen }, null, 2)}\n`);
  return chosen;
}

/**
 * Bring the network up: broker, AAA service, provisioner, servers, each waited for before the next. What runs
 * already goes on running. When a role does not come up, what this call started is stopped again.
 *
 * @throws {StartError} naming the role, with the end of its log.
 */
export async function startNetwork(options: NetworkOptions, ports: Ports, start: StartOptions): Promise<void> {
  const started: string[] = [];
  try {
    for (const role of roles(options, ports)) {
      if (runningPid(options.layout, role.name) !== undefined) continue;
      await requireFreePorts(role);
      options.say(`Starting ${role.title}`);
      started.push(role.name);
      startProcess(options.layout, role);
      await waitForRole(options, role);
    }
    await startServers(options, start, started);
  } catch (error) {
    for (const name of started.reverse()) await stopProcess(options.layout, name, options.clock);
    throw error;
  }
}

/** Stop what runs, servers first; exactly what was started here. Gives the names of what was stopped. */
export async function stopNetwork({ layout, clock }: NetworkOptions): Promise<string[]> {
  const names = pidNames(layout);
  const servers = names.filter((name) => name.startsWith("server-"));
  const stopped = await Promise.all(servers.map((name) => stopProcess(layout, name, clock)));
  const gone = servers.filter((_, index) => stopped[index]);
  for (const name of ["replicator", "nats", "provisioner", "plugins", "aaa", "broker"].filter((name) =>
    names.includes(name),
  )) {
    if (await stopProcess(layout, name, clock)) gone.push(name);
  }
  return gone;
}

/** The identities of servers that hold a token and are connected, as their status files say. */
export function provisionedServers(layout: Layout, identities: readonly string[]): string[] {
  return identities.filter((identity) => {
    const status = readJson(layout.server(identity, "status.json"));
    return status?.provisioning_mode === false && Boolean(status.connected_server);
  });
}

/** Identities of the first `count` servers. */
export function serverIdentities(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `server${index + 1}.choria.local`);
}

/** A server has little to compute: without a compiler it holds a quarter less memory and answers as soon. */
const leanNode = { BUN_JSC_useJIT: "0" };

interface Role extends ProcessSpec {
  title: string;
  /** Ports that it listens on; it is up when all of them answer. */
  ports: number[];
}

function roles({ layout, checkout }: NetworkOptions, ports: Ports): Role[] {
  const bun = (role: string, ...args: string[]) => bunCommand(join(checkout, `cmd/${role}.ts`), ...args);
  return [
    {
      name: "broker",
      title: "the broker",
      ports: [ports.broker, ports.stats],
      command: bun("broker", "--config", layout.config("broker", "broker.conf")),
      env: toolPath(layout),
    },
    {
      name: "aaa",
      title: "the AAA service",
      ports: [ports.aaa, ports.aaaMonitor],
      command: bun("aaa", "run", "--config", layout.config("aaa", "aaa.conf")),
    },
    {
      name: "plugins",
      title: "the web server of plugins",
      ports: [ports.plugins],
      command: bunCommand(
        join(checkout, "containers/plugins/serve.ts"),
        layout.data("plugins"),
        String(ports.plugins),
        "127.0.0.1",
      ),
    },
    {
      name: "provisioner",
      title: "the provisioner",
      ports: [ports.provisionerMonitor],
      command: bun(
        "provisioner",
        "--config",
        layout.config("provisioner", "provisioner.yaml"),
        "--choria-config",
        layout.config("provisioner", "choria.cfg"),
      ),
    },
    {
      name: "nats",
      title: "the NATS server outside the network",
      ports: [ports.nats],
      command: [natsServer(layout), "--config", layout.config("nats", "nats.conf")],
    },
    {
      name: "replicator",
      title: "the stream replicator",
      ports: [ports.replicatorMonitor],
      command: bun("replicator", "replicate", "--config", layout.config("stream-replicator", "sr.yaml")),
    },
  ];
}

/** Where nats-server is: named by the environment, installed for this checkout, or on the path. */
function natsServer(layout: Layout): string {
  const installed = join(layout.tools, "bin", "nats-server");
  return process.env.NATS_SERVER || (isFile(installed) ? installed : "nats-server");
}

function toolPath(layout: Layout): Record<string, string> {
  return { PATH: `${join(layout.tools, "bin")}:${process.env.PATH ?? ""}` };
}

async function startServers(options: NetworkOptions, start: StartOptions, started: string[]): Promise<void> {
  const { layout, checkout, say } = options;
  const identities = serverIdentities(start.servers);
  await stopSurplus(options, identities);
  say(`Starting ${identities.length} servers`);
  for (const identity of identities) {
    const name = `server-${identity}`;
    if (runningPid(layout, name) !== undefined) continue;
    mkdirSync(layout.server(identity), { recursive: true, mode: 0o700 });
    copyFileSync(layout.credential("server", "provisioning.jwt"), layout.server(identity, "provisioning.jwt"));
    rmSync(layout.server(identity, "status.json"), { force: true });
    const config = layout.server(identity, "server.conf");
    const command = bunCommand(join(checkout, "cmd/server.ts"), "--config", config);
    installMachines(layout.server(identity, "machine"), checkout);
    const plugins = layout.server(identity, "plugins");
    installAgents({ layout, checkout, store: layout.server(identity, "machine"), plugins });
    startProcess(layout, { name, command, env: { CHORIA_IDENTITY: identity, ...machinePath(checkout), ...leanNode } });
    started.push(name);
  }
  await waitForServers(options, identities, start.timeout ?? 120_000);
}

async function stopSurplus({ layout, clock }: NetworkOptions, wanted: readonly string[]): Promise<void> {
  const keep = new Set(wanted.map((identity) => `server-${identity}`));
  const surplus = pidNames(layout).filter((name) => name.startsWith("server-") && !keep.has(name));
  await Promise.all(surplus.map((name) => stopProcess(layout, name, clock)));
}

async function waitForServers(options: NetworkOptions, identities: readonly string[], timeout: number): Promise<void> {
  const { layout, clock, say } = options;
  const end = clock.now() + timeout;
  let last = -1;
  for (;;) {
    const ready = provisionedServers(layout, identities);
    if (ready.length !== last) say(`  ${ready.length} of ${identities.length} servers are provisioned`);
    last = ready.length;
    if (ready.length === identities.length) return;
    const missing = identities.filter((identity) => !ready.includes(identity));
    const dead = missing.find((identity) => runningPid(layout, `server-${identity}`) === undefined);
    if (dead !== undefined) throw failure(layout, `server ${dead}`, `server-${dead}`, "has stopped");
    if (clock.now() > end) {
      const [first = ""] = missing;
      throw failure(layout, `server ${first}`, `server-${first}`, `was not provisioned in ${timeout / 1_000} s`);
    }
    await clock.sleep(100);
  }
}

async function waitForRole({ layout, clock }: NetworkOptions, role: Role): Promise<void> {
  const end = clock.now() + 30_000;
  for (const port of role.ports) {
    while (!(await answers(port))) {
      if (runningPid(layout, role.name) === undefined) throw failure(layout, role.title, role.name, "has stopped");
      if (clock.now() > end) throw failure(layout, role.title, role.name, `does not listen on port ${port}`);
      await clock.sleep(50);
    }
  }
}

async function requireFreePorts(role: Role): Promise<void> {
  for (const port of role.ports) {
    if (await isFree(port)) continue;
    throw new StartError(
      `Cannot start ${role.title}: port ${port} of 127.0.0.1 is taken; choose others, see ./setup.sh help`,
    );
  }
}

function failure(layout: Layout, title: string, name: string, what: string): StartError {
  return new StartError(`Cannot start ${title}: it ${what}. The end of ${layout.log(name)}:\n${logTail(layout, name)}`);
}

function pidNames(layout: Layout): string[] {
  try {
    return readdirSync(join(layout.root, "run")).flatMap((file) => (file.endsWith(".pid") ? [file.slice(0, -4)] : []));
  } catch {
    return [];
  }
}

function readPorts(layout: Layout): Partial<Ports> {
  const ports = readJson(layout.network)?.ports;
  return isObject(ports) ? (ports as Partial<Ports>) : {};
}

function readJson(file: string): Record<string, unknown> | undefined {
  if (!isFile(file)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** A port of 127.0.0.1 that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
