import { isObject, isStringList, type JsonObject, parseObject, zeroTime } from "../std/mod.ts";

/** A command, and on whose behalf it runs. */
export interface NewJob {
  /** Up to 64 letters, digits, `_` and `-`; a fresh one by default. */
  id?: string;
  /** Agent and action that started it. */
  agent: string;
  action: string;
  /** Caller id and id of the request that started it. */
  caller: string;
  requestId: string;
  /** The node. */
  identity: string;
  /** The program, found on PATH unless it holds a slash. */
  command: string;
  args?: readonly string[];
  /** Environment beside PATH. */
  environment?: Readonly<Record<string, string>>;
}

/** A command as its folder describes it: `spec.json`. Times are milliseconds since the epoch; undefined for not yet. */
export interface Job extends Required<NewJob> {
  created: number;
  started: number | undefined;
  terminated: number | undefined;
  /** Milliseconds between signs of life; 0 for none. */
  heartbeat: number;
  /** Paths of its files; empty before it is started. */
  pidFile: string;
  stdoutFile: string;
  stderrFile: string;
}

/** How a command ended. */
export interface JobExit {
  /** -1 when it was killed. */
  code: number;
  /** Why it did not end by itself; empty when it did. */
  error: string;
}

/** A job that cannot be made, found, started or signalled. */
export class JobError extends Error {
  override readonly name = "JobError";
}

/**
 * Make a job of now.
 * @throws {JobError} naming what is missing.
 */
export function newJob(fields: NewJob, now: number): Job {
  const { id = randomId(), args = [], environment = {} } = fields;
  for (const [key, what] of needed) if (fields[key] === "") throw new JobError(`invalid process: no ${what}`);
  if (!isJobId(id)) throw new JobError("invalid process: no id");
  const files = { pidFile: "", stdoutFile: "", stderrFile: "" };
  const times = { created: now, started: undefined, terminated: undefined, heartbeat: 0 };
  return { ...fields, id, args, environment, ...times, ...files };
}

const needed = [
  ["caller", "caller"],
  ["requestId", "request id"],
  ["identity", "identity"],
  ["command", "command"],
] as const;

/** Ids are names of folders. */
export function isJobId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** Twenty characters, as many as clients let users give. */
function randomId(): string {
  return crypto.getRandomValues(new Uint8Array(10)).toHex();
}

/** A job as its document. */
export function encodeJob(job: Job): string {
  const { action, agent, args, caller, created, command, environment, heartbeat, id, identity, requestId } = job;
  return JSON.stringify({
    action,
    agent,
    args,
    caller,
    created: timeText(created),
    command,
    environment,
    heartbeat: heartbeat * 1_000_000,
    id,
    identity,
    pid: job.pidFile,
    requestid: requestId,
    start: timeText(job.started),
    stderr: job.stderrFile,
    stdout: job.stdoutFile,
    terminate: timeText(job.terminated),
  });
}

/**
 * Read a job's document.
 * @throws {JobError} when it is not one.
 */
export function decodeJob(bytes: Uint8Array): Job {
  let from: JsonObject;
  try {
    from = parseObject(bytes);
  } catch (error) {
    throw new JobError("specification could not be loaded", { cause: error });
  }
  const { args, environment, heartbeat } = from;
  return {
    id: textOf(from.id),
    agent: textOf(from.agent),
    action: textOf(from.action),
    caller: textOf(from.caller),
    requestId: textOf(from.requestid),
    identity: textOf(from.identity),
    command: textOf(from.command),
    args: isStringList(args) ? args : [],
    environment: environmentOf(environment),
    created: timeOf(from.created) ?? 0,
    started: timeOf(from.start),
    terminated: timeOf(from.terminate),
    heartbeat: typeof heartbeat === "number" ? heartbeat / 1_000_000 : 0,
    pidFile: textOf(from.pid),
    stdoutFile: textOf(from.stdout),
    stderrFile: textOf(from.stderr),
  };
}

/** A time as documents and replies carry it; Go's zero time for none. */
export function timeText(ms: number | undefined): string {
  return ms === undefined ? zeroTime : new Date(ms).toISOString();
}

function timeOf(value: unknown): number | undefined {
  if (typeof value !== "string" || value === zeroTime) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function environmentOf(value: unknown): Record<string, string> {
  const entries = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.flatMap(([key, item]) => (typeof item === "string" ? [[key, item]] : [])));
}
