import { statusCodes } from "../protocol/mod.ts";
import { type ActionContext, ActionError, type Agent, type RpcAgentOptions, rpcAgent } from "../rpc/mod.ts";
import { isStringList, type JsonObject, version } from "../std/mod.ts";
import type { ScoutMachine, ScoutMachines } from "./machines.ts";

/** What the agent works with. */
export interface ScoutAgentOptions extends RpcAgentOptions {
  machines: ScoutMachines;
}

/** Events that the agent fires, as the manifests of checks name them. */
type CheckEvent = "FORCE_CHECK" | "MAINTENANCE" | "RESUME";

/** Most names that a request may give. */
const mostNames = 1_000;

/** The agent `scout`: looks at the checks of this server and steers them. */
export function scoutAgent(options: ScoutAgentOptions): Agent {
  const metadata = {
    name: "scout",
    description: "Looks at the checks of this server and steers them",
    author: "Choria",
    license: "Apache-2.0",
    url: "https://choria.io",
    version,
    timeout: 20,
  };
  const { machines } = options;
  const steer = (event: CheckEvent) => (data: JsonObject, context: ActionContext) =>
    transition(machines, event, namesOf(data), context.signal);
  const actions = {
    checks: () => ({ checks: checksOf(machines).map(checkDocument) }),
    trigger: steer("FORCE_CHECK"),
    maintenance: steer("MAINTENANCE"),
    resume: steer("RESUME"),
  };
  return rpcAgent(metadata, actions, options);
}

function checksOf(machines: ScoutMachines): ScoutMachine[] {
  return machines.list().filter(({ isCheck }) => isCheck);
}

function checkDocument({ name, state, version, startTime, status }: ScoutMachine): JsonObject {
  return { name, state, version, start_time: startTime, status: status ?? null };
}

/** What a steering action answers: names of checks. */
interface Outcome {
  transitioned: string[];
  failed: string[];
  skipped: string[];
}

/** A check that is busy makes its caller wait, so all are asked at once. */
async function transition(
  machines: ScoutMachines,
  event: CheckEvent,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Outcome> {
  const checks = new Map(checksOf(machines).map((check) => [check.name, check] as const));
  const wanted = names.length === 0 ? [...checks.keys()] : [...new Set(names)];
  const results = await Promise.all(wanted.map((name) => fire(machines, checks.get(name), event)));
  signal.throwIfAborted();
  const which = (result: Result) => wanted.filter((_name, at) => results[at] === result);
  const outcome = { transitioned: which("transitioned"), failed: which("failed"), skipped: which("skipped") };
  if (names.length === 0 || outcome.failed.length === 0) return outcome;
  throw new ActionError(`Some checks could not be transitioned to ${event}`, { data: outcome });
}

type Result = "transitioned" | "failed" | "skipped";

async function fire(machines: ScoutMachines, check: ScoutMachine | undefined, event: CheckEvent): Promise<Result> {
  if (check === undefined) return "failed";
  if (!check.availableTransitions.includes(event)) return "skipped";
  try {
    await machines.transition(check.id, event);
    return "transitioned";
  } catch {
    return "failed";
  }
}

function namesOf({ checks }: JsonObject): string[] {
  if (checks === undefined || checks === null) return [];
  if (isStringList(checks) && checks.length <= mostNames) return checks;
  throw new ActionError(`Validation failed: input 'checks' is not a list of at most ${mostNames} names`, {
    statuscode: statusCodes.invalidData,
  });
}
