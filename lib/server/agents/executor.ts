import type { Job, JobQuery, JobSpool } from "../../executor/mod.ts";
import {
  type Action,
  type ActionContext,
  ActionError,
  type Agent,
  type RpcAgentOptions,
  rpcAgent,
} from "../../rpc/mod.ts";
import { type Clock, errorText, type JsonObject, version, zeroTime } from "../../std/mod.ts";
import { optionalFlag, optionalInteger, optionalText, requiredText } from "../inputs.ts";
import { author } from "./author.ts";

/** What the agent works with. */
export interface ExecutorOptions extends RpcAgentOptions {
  jobs: JobSpool;
  clock: Clock;
}

/** How long a command that was sent a signal may take to end before the caller is answered, in milliseconds. */
const signalPatience = 500;

/** The largest signal there is. */
const maxSignal = 64;

/** The agent `executor`: the long-running commands of this server. */
export function executorAgent(options: ExecutorOptions): Agent {
  const metadata = {
    ...author,
    name: "executor",
    description: "Looks after the long-running commands of this server",
    version,
    timeout: 20,
  };
  const actions: Record<string, Action> = {
    status: (data, context) => status(loadJob(data, options), context, options),
    signal: (data, context) => signal(data, context, options),
    list: (data, context) => list(data, context, options),
  };
  return rpcAgent(metadata, actions, options);
}

function loadJob(data: JsonObject, { jobs }: ExecutorOptions): Job {
  const id = requiredText(data, "id", { maxLength: 64 });
  try {
    return jobs.load(id);
  } catch (error) {
    throw new ActionError(`Could not load job: ${errorText(error)}`);
  }
}

async function status(job: Job, context: ActionContext, options: ExecutorOptions): Promise<JsonObject> {
  const { jobs } = options;
  const { id } = job;
  const [isStarted, isRunning] = [jobs.isStarted(id), jobs.isRunning(id)];
  const exit = isStarted && !isRunning ? (jobs.exit(id) ?? { code: -1, error: "process killed" }) : undefined;
  const isAllowed = await mayCall(job, context, options);
  return {
    command: isAllowed ? job.command : hidden,
    args: isAllowed ? job.args.join(" ") : "",
    started: isStarted,
    start_time: timeOf(job.started),
    terminate_time: timeOf(job.terminated),
    exit_code: exit === undefined || exit.error !== "" ? -1 : exit.code,
    exit_reason: exit?.error ? `process failed: ${exit.error}` : "",
    running: isRunning,
    agent: job.agent,
    action: job.action,
    requestid: job.requestId,
    caller: job.caller,
    pid: isStarted ? pidOf(job, options) : -1,
    stdout_bytes: jobs.outputBytes(id, "stdout"),
    stderr_bytes: jobs.outputBytes(id, "stderr"),
  };
}

async function signal(data: JsonObject, context: ActionContext, options: ExecutorOptions): Promise<JsonObject> {
  const { jobs, logger, clock } = options;
  const job = loadJob(data, options);
  const number = optionalInteger(data, "signal");
  if (number === undefined || number < 0 || number > maxSignal) throw new ActionError("Signal is required");
  if (!(await mayCall(job, context, options))) {
    const { caller, id } = context.message.request;
    logger.warn("Denying a signal to a job", { job: job.id, caller, requestid: id });
    throw new ActionError(`You are not authorized to call this ${job.agent}#${job.action}`);
  }
  if (!jobs.isRunning(job.id)) throw new ActionError(`Job ${job.id} is not running`);
  const pid = pidOf(job, options);
  try {
    jobs.signal(job.id, number);
  } catch (error) {
    throw new ActionError(`Could not send signal: ${errorText(error)}`);
  }
  const end = clock.now() + signalPatience;
  while (jobs.isRunning(job.id) && clock.now() < end) await clock.sleep(50, context.signal);
  return { pid, running: jobs.isRunning(job.id) };
}

async function list(data: JsonObject, context: ActionContext, options: ExecutorOptions): Promise<JsonObject> {
  const wanted = options.jobs.list(queryOf(data));
  const jobs = wanted.map(async (job) => ({
    action: job.action,
    agent: job.agent,
    command: (await mayCall(job, context, options)) ? job.command : hidden,
    id: job.id,
    identity: job.identity,
    requestid: job.requestId,
    start: timeOf(job.started),
    terminate: timeOf(job.terminated),
  }));
  return { jobs: await Promise.all(jobs) };
}

function queryOf(data: JsonObject): JobQuery {
  const text = (name: string) => optionalText(data, name, { maxLength: 256 });
  const [before, since] = [optionalInteger(data, "before"), optionalInteger(data, "since")];
  return {
    action: text("action"),
    agent: text("agent"),
    caller: text("caller"),
    command: text("command"),
    identity: text("identity"),
    requestId: text("requestid"),
    ...(before ? { before: before * 1_000 } : {}),
    ...(since ? { since: since * 1_000 } : {}),
    running: optionalFlag(data, "running"),
    completed: optionalFlag(data, "completed"),
  };
}

/** What callers see of commands that they could not have started. */
const hidden = "Not authorized";

/** Who may start a command may also see it and send it signals. */
async function mayCall({ agent, action }: Job, { message }: ActionContext, options: ExecutorOptions): Promise<boolean> {
  if (options.authorizer === undefined) return true;
  try {
    return (await options.authorizer.authorize({ agent, action, data: {}, message })).allowed;
  } catch {
    return false;
  }
}

function pidOf({ id }: Job, { jobs }: ExecutorOptions): number {
  try {
    return jobs.pid(id);
  } catch (error) {
    throw new ActionError(`Could not parse pid: ${errorText(error)}`);
  }
}

function timeOf(ms: number | undefined): string {
  return ms === undefined ? zeroTime : new Date(ms).toISOString();
}
