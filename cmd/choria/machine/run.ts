import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { openTerminal, type Terminal } from "../../../lib/cli/mod.ts";
import type { Connection } from "../../../lib/connector/mod.ts";
import { factFiles } from "../../../lib/filter/mod.ts";
import {
  decodeManifest,
  type Machine,
  type MachineEvent,
  MachineGroup,
  type MachineListener,
  type MachineNode,
  noSettings,
  startMachineListener,
} from "../../../lib/machine/mod.ts";
import {
  createLogger,
  errorText,
  type JsonObject,
  type Logger,
  parseObject,
  systemClock,
} from "../../../lib/std/mod.ts";
import { addClientFlags, type ClientFlags, withFleet } from "../client/open.ts";
import { readManifest } from "./folder.ts";

interface RunFlags extends ClientFlags {
  facts?: string;
  data?: string;
  connect?: true;
  http?: number;
}

const examples = `
Examples:
  choria machine run machines/facts
  choria machine run machines/one machines/two --facts facts.json --data data.json
  choria machine run machines/light --http 8080

Runs until interrupted, and then ends with 130. Nothing is published unless --connect is given.`;

/** Exit code of a command that was interrupted. */
const interrupted = 130;

/** `choria machine run`: machines tried out in the foreground. */
export function runCommand(): Command {
  const run = new Command("run")
    .description("Run machines in the foreground, and show what they do.")
    .argument("<folders...>", "folders of machines, which know of each other");
  return addClientFlags(run)
    .option("--facts <file>", "facts, as JSON or YAML; none by default")
    .option("--data <file>", "JSON object whose values each machine remembers from the start")
    .option("--connect", "connect to the broker, as the user of the client configuration")
    .option("--http <port>", "serve switches and metrics on this port", parsePort)
    .addHelpText("after", examples)
    .action((folders: string[], flags: RunFlags) => inForeground(folders, flags));
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("Expected a port from 1 to 65535.");
}

async function inForeground(folders: readonly string[], flags: RunFlags): Promise<void> {
  if (flags.connect) {
    return withFleet(flags, async ({ fleet, terminal, signal }) => {
      await runMachines(folders, flags, { terminal, signal, connection: fleet.connection });
      signal.throwIfAborted();
    });
  }
  const { stdout, stderr, env } = process;
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, stop);
  const terminal = openTerminal({ stdout, stderr, env });
  await runMachines(folders, flags, { terminal, signal: stopping.signal, connection: undefined });
  process.exitCode = interrupted;
}

interface RunSession {
  terminal: Terminal;
  signal: AbortSignal;
  connection: Connection | undefined;
}

async function runMachines(folders: readonly string[], flags: RunFlags, session: RunSession): Promise<void> {
  const { terminal, signal } = session;
  const logger = createLogger({ level: flags.debug ? "debug" : "warn", destination: "stderr" });
  const node = runNode(flags, session, logger);
  const group = new MachineGroup({ node, logger, onEvent: (event, text) => show(terminal, event, text) });
  const data = flags.data === undefined ? {} : parseObject(readFileSync(flags.data, "utf8"));
  const machines = folders.map((folder) => loadMachine(group, folder, data, logger));
  let listener: MachineListener | undefined;
  try {
    for (const machine of machines) await startMachine(machine, terminal, signal);
    // Whoever presses a switch expects all machines to hear of it.
    if (flags.http !== undefined) listener = listen(group, flags.http, logger);
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      else signal.addEventListener("abort", () => done(), { once: true });
    });
  } finally {
    group.stop();
    await listener?.stop();
  }
}

function listen(group: MachineGroup, port: number, logger: Logger): MachineListener {
  return startMachineListener({ port, find: (machine, watcher) => group.watcher(machine, watcher), logger });
}

function runNode(flags: RunFlags, { connection }: RunSession, logger: Logger): MachineNode {
  const facts = factFiles(flags.facts === undefined ? [] : [flags.facts], logger);
  return {
    identity: "cli",
    collective: "choria",
    clock: systemClock,
    random: Math.random,
    facts: () => facts.read(),
    connection,
    settings: noSettings,
  };
}

function loadMachine(group: MachineGroup, folder: string, data: JsonObject, logger: Logger): Machine {
  const { manifest, warnings } = decodeManifest(readManifest(folder));
  for (const { text, line } of warnings) logger.warn(`In a manifest ${text}`, { machine: manifest.name, line });
  const machine = group.add(resolve(folder), manifest);
  machine.data.merge(data);
  return machine;
}

async function startMachine(machine: Machine, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { name, version, folder, state, manifest } = machine;
  if (signal.aborted) return;
  if (manifest.splayStart > 0) {
    terminal.out.write(`${clock()} ${name} starts within ${manifest.splayStart} seconds\n`);
    signal.addEventListener("abort", () => machine.stop(), { once: true });
  }
  terminal.out.write(
    `${clock()} Starting Choria Machine ${name} version ${version} from ${folder} in state ${state}\n`,
  );
  try {
    await machine.start();
  } catch (error) {
    throw new Error(`${name}#${name}: Could not start manager: ${errorText(error)}`, { cause: error });
  }
}

function show({ out, paint }: Terminal, event: MachineEvent, text: string): void {
  if (event.kind === "watcher") out.write(`${clock()} ${paint.dim(text)}\n`);
  else {
    const { machine, transition, from, to } = event;
    out.write(`${clock()} ${machine} transitioned via event ${transition}: ${from} => ${paint.bold(to)}\n`);
  }
}

function clock(): string {
  return `[${new Date().toTimeString().slice(0, 8)}]`;
}
