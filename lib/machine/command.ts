import { randomUUID } from "node:crypto";
import { unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { ProcessError, type ProcessFault, runProcess, splitCommand } from "../process/mod.ts";
import type { JsonObject } from "../std/mod.ts";
import type { WatcherContext } from "./watcher.ts";

/** How {@link runCommand} runs a watcher's command. */
export interface CommandOptions {
  /** Longest run in milliseconds; then the whole process group is killed. `Infinity` sets no limit. */
  timeout: number;
  /** More variables for the command, each `NAME=value`. */
  environment?: readonly string[];
  /**
   * Whether the command finds the machine's data and the node's facts in files, named by `WATCHER_DATA` and
   * `WATCHER_FACTS`; they are gone when it has ended.
   * @default false
   */
  giveFiles?: boolean;
  /**
   * Whether the program belongs to nobody: it has all the time, nothing that it prints is taken, and it goes on when the
   * machine stops, which only ends the wait for it.
   * @default false
   */
  disown?: boolean;
  /**
   * Most bytes taken of what it prints; beyond it the process group is killed.
   * @default 1 MiB
   */
  maxOutput?: number;
}

/** How a watcher's command ended. */
export interface CommandOutcome {
  /** stdout and stderr in the order of their arrival; what there was by then, where the run went wrong. */
  readonly output: Uint8Array;
  /** Exit code; -1 where a signal ended it or it was not run to its end. */
  readonly exitCode: number;
  /** How long it ran, milliseconds. */
  readonly runtime: number;
  /** How the run went wrong; none where the program ended by itself. */
  readonly fault?: ProcessFault;
  /** Why, for people: `Cannot run "…": …`. Empty where the program ended by itself. */
  readonly reason: string;
}

const defaultMaxOutput = 1024 * 1024;

/**
 * Run a command for a watcher: without a shell, in the machine's folder, with an environment of little more than the
 * names of machine and watcher. Never rejects: what cannot be run has a `fault`.
 *
 * A program without a slash in its name is looked for on the PATH of the server; one with a slash is relative to the
 * machine's folder.
 *
 * @param line The command line, with its templates filled in.
 */
export async function runCommand(
  context: WatcherContext,
  line: string,
  options: CommandOptions,
): Promise<CommandOutcome> {
  const started = performance.now();
  const files: string[] = [];
  const removeFiles = () => {
    for (const file of files) removeFile(file);
  };
  // A server that stops is gone before the run has ended.
  context.signal.addEventListener("abort", removeFiles, { once: true });
  try {
    const command = programOf(line, context.machine.folder);
    if (options.disown) {
      const exitCode = await runDisowned(command, context, await environmentOf(context, options, files));
      return { output: new Uint8Array(), exitCode, runtime: performance.now() - started, reason: "" };
    }
    const result = await (context.machine.node.runProgram ?? runProcess)(command, {
      timeout: options.timeout,
      maxOutput: options.maxOutput ?? defaultMaxOutput,
      captureStderr: "merged",
      env: await environmentOf(context, options, files),
      cwd: context.machine.folder,
      signal: context.signal,
      clock: context.machine.node.clock,
    });
    return {
      output: result.stdout,
      exitCode: result.exitCode ?? -1,
      runtime: performance.now() - started,
      reason: "",
    };
  } catch (error) {
    return faulty(line, error, performance.now() - started);
  } finally {
    context.signal.removeEventListener("abort", removeFiles);
    removeFiles();
  }
}

async function runDisowned(
  command: string[],
  { machine, signal }: WatcherContext,
  env: Record<string, string>,
): Promise<number> {
  signal.throwIfAborted();
  const child = Bun.spawn(command, {
    // A session of its own, so that no signal meant for the server reaches it.
    detached: true,
    stdio: ["ignore", "ignore", "ignore"],
    env,
    cwd: machine.folder,
  });
  const stopped = Promise.withResolvers<number>();
  const onAbort = () => stopped.resolve(-1);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([child.exited.then(() => child.exitCode ?? -1), stopped.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    child.unref();
  }
}

function programOf(line: string, folder: string): string[] {
  const [name, ...args] = splitCommand(line, { dialect: "shlex" });
  if (name === undefined) throw new SyntaxError("the command is empty");
  if (name.includes("/")) return [resolve(folder, name), ...args];
  const path = Bun.which(name);
  if (path === null) throw new ProcessError("start", `there is no program "${name}" on the PATH of the server`);
  return [path, ...args];
}

async function environmentOf(
  { machine, definition, signal }: WatcherContext,
  { environment = [], giveFiles = false }: CommandOptions,
  files: string[],
): Promise<Record<string, string>> {
  const env: Record<string, string> = {
    MACHINE_WATCHER_NAME: definition.name,
    MACHINE_NAME: machine.name,
    PATH: `${process.env.PATH ?? ""}${delimiter}${machine.folder}`,
  };
  if (giveFiles) {
    const facts = await machine.node.facts();
    signal.throwIfAborted();
    env.WATCHER_DATA = temporaryFile("data", machine.data.all, files);
    env.WATCHER_FACTS = temporaryFile("facts", facts, files);
  }
  for (const item of environment) {
    const at = item.indexOf("=");
    if (at > 0) env[item.slice(0, at)] = item.slice(at + 1);
  }
  return env;
}

function temporaryFile(kind: string, value: Readonly<JsonObject>, files: string[]): string {
  const path = join(tmpdir(), `choria-machine-${kind}-${randomUUID()}.json`);
  files.push(path);
  writeFileSync(path, JSON.stringify(value), { mode: 0o600, flag: "wx" });
  return path;
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The command may have removed it.
  }
}

function faulty(line: string, error: unknown, runtime: number): CommandOutcome {
  const [fault, output] =
    error instanceof ProcessError ? [error.fault, error.stdout] : (["start", new Uint8Array()] as const);
  const why = error instanceof Error ? error.message : String(error);
  return { output, exitCode: -1, runtime, fault, reason: `Cannot run "${line}": ${why}` };
}
