import type { MachineState } from "../machine/mod.ts";
import { statusCodes } from "../protocol/mod.ts";
import { type ActionContext, ActionError, type Agent, type RpcAgentOptions, rpcAgent } from "../rpc/mod.ts";
import { isStringList, type JsonObject, version } from "../std/mod.ts";
import { type GossSettings, gossValidate } from "./goss_action.ts";
import type { ScoutMachines } from "./machines.ts";

/** What the agent works with. */
export interface ScoutAgentOptions extends RpcAgentOptions {
  machines: ScoutMachines;
  goss: GossSettings;
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
  const steer = (event: CheckEvent) => (data: JsonObject) => transition(machines, event, namesOf(data));
  const actions = {
    checks: () => ({ checks: checksOf(machines).map(checkDocument) }),
    trigger: steer("FORCE_CHECK"),
    maintenance: steer("MAINTENANCE"),
    resume: steer("RESUME"),
    goss_validate: (data: JsonObject, { signal }: ActionContext) => gossValidate(data, options.goss, signal),
  };
  return rpcAgent(metadata, actions, options);
}

function checksOf(machines: ScoutMachines): MachineState[] {
  return machines.states().filter(({ scout }) => scout);
}

function checkDocument({ name, state, version, startTime, currentState }: MachineState): JsonObject {
  return { name, state, version, start_time: startTime, status: currentState ?? null };
}

/** What a steering action answers: names of checks. */
interface Outcome {
  transitioned: string[];
  failed: string[];
  skipped: string[];
}

function transition(machines: ScoutMachines, event: CheckEvent, names: readonly string[]): Outcome {
  const checks = new Map(checksOf(machines).map((check) => [check.name, check] as const));
  const outcome: Outcome = { transitioned: [], failed: [], skipped: [] };
  for (const name of names.length === 0 ? checks.keys() : new Set(names)) {
    outcome[fire(machines, checks.get(name), event)].push(name);
  }
  if (names.length === 0 || outcome.failed.length === 0) return outcome;
  throw new ActionError(`Some checks could not be transitioned to ${event}`, { data: outcome });
}

function fire(machines: ScoutMachines, check: MachineState | undefined, event: CheckEvent): keyof Outcome {
  if (check === undefined) return "failed";
  if (!check.availableTransitions.includes(event)) return "skipped";
  try {
    machines.transition({ id: check.id }, event);
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
