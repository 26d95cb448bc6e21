import { type Clock, errorText, systemClock } from "../std/mod.ts";

/** How a run went wrong: it could not be started, took too long, printed too much or was called off. */
export type ProcessFault = "start" | "timeout" | "output" | "cancelled";

/** A program that could not be run to its end. How it ended by itself is no error but a {@link RunResult}. */
export class ProcessError extends Error {
  override readonly name = "ProcessError";
  readonly fault: ProcessFault;
  /** What it had printed to stderr by then, where that was collected. */
  readonly stderr: Uint8Array;
  /** What it had printed to stdout by then. */
  readonly stdout: Uint8Array;

  constructor(
    fault: ProcessFault,
    message: string,
    options: ErrorOptions & { stderr?: Uint8Array; stdout?: Uint8Array } = {},
  ) {
    const { stderr = new Uint8Array(), stdout = new Uint8Array(), ...rest } = options;
    super(message, rest);
    this.fault = fault;
    this.stderr = stderr;
    this.stdout = stdout;
  }
}

/** How {@link runProcess} runs a program. */
export interface RunOptions {
  /** Given on stdin, which then ends; nothing by default. A file is not read into memory. */
  input?: string | Uint8Array | Bun.BunFile;
  /** Longest run in milliseconds; then the whole process group is killed. */
  timeout: number;
  /**
   * Most bytes taken from stdout and from stderr each; beyond it the process group is killed.
   * @default 4 MiB
   */
  maxOutput?: number;
  /**
   * Whether stderr is collected; it is thrown away otherwise. `merged` puts it among what comes on stdout, in the order
   * of its arrival.
   * @default false
   */
  captureStderr?: boolean | "merged";
  /**
   * Whether the run is over when the program itself has ended: what it leaves running in its process group is killed,
   * and what has left the group but holds stdout is not waited for.
   * @default false
   */
  endWithProgram?: boolean;
  /** Environment; that of this process by default. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Working folder; that of this process by default. */
  cwd?: string;
  /** Calls the run off. */
  signal?: AbortSignal;
  /** @default systemClock */
  clock?: Clock;
}

/** How a program ended by itself. */
export interface RunResult {
  stdout: Uint8Array;
  /** Empty unless it was asked for. */
  stderr: Uint8Array;
  /** Exit code; null when a signal ended it. */
  exitCode: number | null;
  /** Name of the signal that ended it. */
  signal: string | null;
}

const defaultMaxOutput = 4 * 1024 * 1024;

/** How long output is still read once the program has ended, in milliseconds, where the run ends with it. */
const drainTime = 500;

/**
 * Run a program in a process group of its own, without a shell, and wait for its end.
 *
 * @param command The program, found on PATH unless it holds a slash, and its arguments.
 * @throws {ProcessError} when it cannot be started, takes too long, prints too much or is called off; nothing that it
 * started in its group is left running then.
 */
export async function runProcess(command: readonly string[], options: RunOptions): Promise<RunResult> {
  const { timeout, maxOutput = defaultMaxOutput, clock = systemClock, signal } = options;
  if (signal?.aborted) throw new ProcessError("cancelled", "it was called off");
  const child = start(command, options);
  let fault: { kind: ProcessFault; reason: string } | undefined;
  const stopped = Promise.withResolvers<void>();
  const stop = (kind: ProcessFault, reason: string) => {
    fault ??= { kind, reason };
    killGroup(child.pid);
    // What has left the group may hold stdout for ever.
    void child.exited.then(() => stopped.resolve());
  };
  const onAbort = () => stop("cancelled", "it was called off");
  signal?.addEventListener("abort", onAbort, { once: true });
  using _limit = clock.after(timeout, () => stop("timeout", `it took longer than ${timeout} ms`));
  const tooMuch = () => stop("output", `it printed more than ${maxOutput} bytes`);
  const ended = options.endWithProgram ? Promise.race([stopped.promise, programEnd(child, clock)]) : stopped.promise;
  try {
    const out: Collected = { chunks: [], length: 0 };
    const err: Collected = options.captureStderr === "merged" ? out : { chunks: [], length: 0 };
    await Promise.all([
      collect(child.stdout, out, maxOutput, tooMuch, ended),
      collect(child.stderr, err, maxOutput, tooMuch, ended),
      child.exited,
    ]);
    const stdout = Buffer.concat(out.chunks);
    const stderr = err === out ? new Uint8Array() : Buffer.concat(err.chunks);
    if (fault !== undefined) throw new ProcessError(fault.kind, fault.reason, { stdout, stderr });
    return {
      stdout,
      stderr,
      exitCode: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    };
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** The end of the program and of what is left in its group, with a moment for what it printed last. */
async function programEnd(child: Child, clock: Clock): Promise<void> {
  await child.exited;
  killGroup(child.pid);
  await clock.sleep(drainTime);
}

type Child = Bun.Subprocess<Uint8Array | Bun.BunFile, "pipe", "pipe" | "ignore">;

function start(command: readonly string[], options: RunOptions): Child {
  const { input = "", captureStderr = false, env = process.env, cwd } = options;
  try {
    return Bun.spawn([...command], {
      // A group of its own, so that a kill reaches what the program itself has started.
      detached: true,
      stdin: typeof input === "string" ? Buffer.from(input) : input,
      stdout: "pipe",
      stderr: captureStderr === false ? "ignore" : "pipe",
      env: { ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
  } catch (error) {
    throw new ProcessError("start", errorText(error), { cause: error });
  }
}

interface Collected {
  readonly chunks: Uint8Array[];
  length: number;
}

/** Read a stream until it ends, there is too much, or nobody waits for it any more. */
async function collect(
  stream: ReadableStream<Uint8Array> | undefined,
  into: Collected,
  max: number,
  tooMuch: () => void,
  ended: Promise<void>,
): Promise<void> {
  if (stream === undefined) return;
  const reader = stream.getReader();
  void ended.then(() => reader.cancel()).catch(() => undefined);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    into.length += value.length;
    if (into.length > max) {
      tooMuch();
      await reader.cancel();
      break;
    }
    into.chunks.push(value);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}
