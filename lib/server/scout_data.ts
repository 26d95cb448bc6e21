import type { MachineHost } from "../machine/mod.ts";
import { isObject, type JsonObject } from "../std/mod.ts";

/** States of checks by the exit codes of their plugins. */
const states = ["OK", "WARNING", "CRITICAL", "UNKNOWN"] as const;

/**
 * The data plugin `scout`: a check by its name, with the states that it has been in. Empty where there is none.
 *
 * @param now The present, milliseconds since the epoch.
 */
export function scoutData(machines: Pick<MachineHost, "states"> | undefined, check: string, now: number): JsonObject {
  const found = machines?.states().find(({ name, scout }) => scout && name === check);
  if (found === undefined) return {};
  const { name, version, state, path, id, startTime, currentState } = found;
  const history = Array.isArray(currentState?.history) ? currentState.history : [];
  return {
    name,
    version,
    state,
    path,
    id,
    start_time: startTime,
    uptime: Math.max(0, Math.floor(now / 1_000) - startTime),
    history: history.map((entry: unknown) => stateOf(isObject(entry) ? entry.status : undefined)),
  };
}

function stateOf(code: unknown): string {
  return (typeof code === "number" ? states[code] : undefined) ?? "UNKNOWN";
}
