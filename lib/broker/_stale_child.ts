import { readFileSync, rmSync } from "node:fs";
import { processStat, signalProcess } from "../process/mod.ts";
import { type Clock, isFile, type Logger, parseObject, writeFileAtomic } from "../std/mod.ts";

/** A nats-server that a broker started, as its record on disk tells. */
interface ChildRecord {
  pid: number;
  /** The broker that started it. */
  parent: number;
  /** The configuration it was started with, by which it is known again. */
  configFile: string;
}

/** A process as the system shows it. */
interface ProcessInfo {
  parent: number;
  commandLine: string;
}

const grace = 10_000;
const pause = 50;

/** Remember the nats-server that was started, for the case that this process does not live to end it. */
export function recordChild(file: string, pid: number, configFile: string): void {
  writeFileAtomic(file, JSON.stringify({ pid, parent: process.pid, configFile }), { mode: 0o600 });
}

/**
 * End a nats-server that an earlier broker left behind. It is known by its process id and its command line both; any
 * other process is left alone.
 *
 * @throws {Error} when the broker that started it still runs.
 */
export async function endStaleChild(file: string, logger: Logger, clock: Clock): Promise<void> {
  const record = readRecord(file);
  if (record === undefined) return;
  const found = inspect(record.pid);
  if (found === undefined || !found.commandLine.includes(record.configFile)) {
    rmSync(file, { force: true });
    return;
  }
  if (found.parent === record.parent && record.parent !== process.pid) {
    throw new Error(
      `Cannot start the broker: another one with process id ${record.parent} uses "${record.configFile}": stop it first`,
    );
  }
  logger.warn("Ending a nats-server that an earlier broker left behind", { pid: record.pid });
  await end(record.pid, clock);
  rmSync(file, { force: true });
}

async function end(pid: number, clock: Clock): Promise<void> {
  signalProcess(pid, "SIGTERM");
  for (let waited = 0; inspect(pid) !== undefined && waited < grace; waited += pause) await clock.sleep(pause);
  if (inspect(pid) !== undefined) signalProcess(pid, "SIGKILL");
  while (inspect(pid) !== undefined) await clock.sleep(pause);
}

function readRecord(file: string): ChildRecord | undefined {
  if (!isFile(file)) return undefined;
  try {
    const { pid, parent, configFile } = parseObject(readFileSync(file));
    if (typeof pid !== "number" || typeof parent !== "number" || typeof configFile !== "string") return undefined;
    return pid > 1 && configFile !== "" ? { pid, parent, configFile } : undefined;
  } catch {
    return undefined;
  }
}

/** What the system says about a process; undefined when there is none, or it has ended and waits to be counted. */
function inspect(pid: number): ProcessInfo | undefined {
  try {
    return isFile("/proc/self/stat") ? inspectProc(pid) : inspectPs(pid);
  } catch {
    return undefined;
  }
}

function inspectProc(pid: number): ProcessInfo | undefined {
  const stat = processStat(pid);
  if (stat === undefined || stat.hasEnded) return undefined;
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  return { parent: stat.parent, commandLine };
}

function inspectPs(pid: number): ProcessInfo | undefined {
  const result = Bun.spawnSync(["ps", "-o", "ppid=,stat=,args=", "-p", String(pid)], { stderr: "ignore" });
  const match = /^\s*(\d+)\s+(\S+)\s+(.*)$/m.exec(result.stdout.toString());
  if (match === null || match[2]?.startsWith("Z")) return undefined;
  return { parent: Number(match[1]), commandLine: match[3] ?? "" };
}
