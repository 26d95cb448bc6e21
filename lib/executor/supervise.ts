import { closeSync, openSync, writeSync } from "node:fs";
import { type Clock, errorText, type Logger, writeFileAtomic } from "../std/mod.ts";
import type { JobEvents } from "./events.ts";
import { type Job, JobError, type JobExit } from "./job.ts";
import type { JobSpool } from "./job_spool.ts";
import { OutputPieces } from "./output.ts";

/** How {@link superviseJob} runs a job. */
export interface SuperviseOptions {
  spool: JobSpool;
  /** Told of all that happens. */
  events: JobEvents;
  /** Milliseconds between signs of life; 0 for none. */
  heartbeat: number;
  /** Whether what the command prints is told as well. */
  trackOutput: boolean;
  clock: Clock;
  logger: Logger;
}

/**
 * Run a job's command and watch over it to its end: what it prints goes to its folder, and everything that happens to
 * `events`. Meant for a process of its own, which no restart of the server ends.
 *
 * @throws {JobError} `already started`, or `start failed: …`; what the job's folder says is then its end.
 */
export async function superviseJob(job: Job, options: SuperviseOptions): Promise<JobExit> {
  const { spool, events, clock, heartbeat } = options;
  if (job.started !== undefined) throw new JobError("already started");
  const { pid: pidFile, stdout: stdoutFile, stderr: stderrFile } = spool.files(job.id);
  const started: Job = { ...job, pidFile, stdoutFile, stderrFile, heartbeat, started: clock.now() };
  spool.save(started);
  events.spec(started);
  const exit = await runToEnd(started, options);
  spool.save({ ...started, terminated: clock.now() });
  writeFileAtomic(spool.files(job.id).exit, JSON.stringify(exit), { mode: 0o600 });
  events.exit(exit);
  if (exit.error.startsWith(startFailed)) throw new JobError(exit.error);
  return exit;
}

const startFailed = "start failed";

async function runToEnd(job: Job, options: SuperviseOptions): Promise<JobExit> {
  const { spool, events, heartbeat, clock, logger } = options;
  let child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  try {
    child = start(job);
  } catch (error) {
    return { code: -1, error: `${startFailed}: ${errorText(error)}` };
  }
  writeFileAtomic(job.pidFile, String(child.pid), { mode: 0o600 });
  events.pid(child.pid);
  logger.info("A job was started", { job: job.id, pid: child.pid });
  const beating = heartbeat > 0 ? clock.every(heartbeat, () => events.heartbeat(spool.isRunning(job.id))) : undefined;
  using _heart = beating ?? { [Symbol.dispose]: () => undefined };
  await Promise.all([
    keep(child.stdout, "stdout", job, options),
    keep(child.stderr, "stderr", job, options),
    child.exited,
  ]);
  const { exitCode, signalCode } = child;
  if (exitCode === null || signalCode !== null) return { code: -1, error: "process killed" };
  return { code: exitCode, error: "" };
}

function start({ command, args, environment }: Job): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  return Bun.spawn([command, ...args], {
    cwd: "/",
    env: { PATH: process.env.PATH, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Write what a stream prints to its file as it comes. A full disk ends the writing, never the command. */
async function keep(
  stream: ReadableStream<Uint8Array>,
  name: "stdout" | "stderr",
  job: Job,
  { events, trackOutput, clock, logger }: SuperviseOptions,
): Promise<void> {
  const file = openSync(name === "stdout" ? job.stdoutFile : job.stderrFile, "a", 0o600);
  using pieces = new OutputPieces(clock, (data) => events.output(name, data));
  let isBroken = false;
  try {
    for await (const chunk of stream) {
      if (trackOutput) pieces.add(chunk);
      if (!isBroken) isBroken = !write(file, chunk, job, logger);
    }
  } finally {
    closeSync(file);
  }
}

function write(file: number, chunk: Uint8Array, { id }: Job, logger: Logger): boolean {
  try {
    for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
    return true;
  } catch (error) {
    logger.error("What a job prints cannot be kept", { job: id, reason: errorText(error) });
    return false;
  }
}
