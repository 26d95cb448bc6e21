import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { processStat, signalProcess } from "../process/mod.ts";
import { type Clock, isFile, writeFileAtomic } from "../std/mod.ts";
import type { Layout } from "./layout.ts";

/** A process that runs in the background of a network. */
export interface ProcessSpec {
  /** Name of its log and its pid file. */
  name: string;
  /** Program and arguments. */
  command: readonly string[];
  /** Variables beside those of the environment. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

/** A started process as its pid file remembers it: a process id alone may long be somebody else's. */
interface Remembered {
  pid: number;
  /** When the kernel says it started. */
  started: string;
}

/**
 * A command that runs a program in this Bun. Whatever configuration and `.env` lie in the working folder are left
 * alone: they may be anybody's, and Bun would run what they name.
 */
export function bunCommand(file: string, ...args: string[]): string[] {
  return [process.execPath, "--config=/dev/null", "--no-env-file", file, ...args];
}

/** Start a process that outlives this one, with its output in its log. */
export function startProcess(layout: Layout, spec: ProcessSpec): void {
  const log = layout.log(spec.name);
  for (const file of [log, layout.pid(spec.name)]) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const output = openSync(log, "a", 0o600);
  const [program = "", ...args] = spec.command;
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", output, output],
    env: { ...process.env, ...spec.env },
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
  });
  child.once("error", () => undefined); // seen by whoever asks whether it runs
  child.unref();
  closeSync(output);
  if (child.pid === undefined) throw new Error(`Cannot start ${spec.name}: ${program} does not run`);
  writeFileAtomic(layout.pid(spec.name), rememberProcess(child.pid), { mode: 0o600 });
}

/** Text of the pid file of a process that runs. */
export function rememberProcess(pid: number): string {
  const remembered: Remembered = { pid, started: startedAt(pid) ?? "" };
  return JSON.stringify(remembered);
}

/** The process id of what was started under a name, while it runs. */
export function runningPid(layout: Layout, name: string): number | undefined {
  try {
    const { pid, started } = JSON.parse(readFileSync(layout.pid(name), "utf8")) as Remembered;
    const found = startedAt(pid);
    return found !== undefined && found === started ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Stop what was started under a name: politely, and after `grace` milliseconds without mercy. What is not running,
 * or is not ours, is left alone.
 */
export async function stopProcess(layout: Layout, name: string, clock: Clock, grace = 15_000): Promise<boolean> {
  const pid = runningPid(layout, name);
  if (pid !== undefined) {
    signalProcess(pid, "SIGTERM");
    const end = clock.now() + grace;
    while (runningPid(layout, name) !== undefined) {
      if (clock.now() > end) signalProcess(pid, "SIGKILL");
      await clock.sleep(50);
    }
  }
  rmSync(layout.pid(name), { force: true });
  return pid !== undefined;
}

/** The last lines of a process's log. */
export function logTail(layout: Layout, name: string, lines = 15): string {
  try {
    return readFileSync(layout.log(name), "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(no log)";
  }
}

/** Elsewhere than on Linux nobody tells the age of a process, so the pid has to do. */
function startedAt(pid: number): string | undefined {
  if (!isFile("/proc/self/stat")) return isAlive(pid) ? "unknown" : undefined;
  const stat = processStat(pid);
  return stat === undefined || stat.hasEnded ? undefined : String(stat.startTicks);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
