import { isObject, type JsonObject } from "../std/mod.ts";
import type { ScoutMachines } from "./machines.ts";

/** What checks call their states, by the exit code of a plugin. */
const statusNames = ["OK", "WARNING", "CRITICAL", "UNKNOWN"] as const;

/**
 * The data plugin `scout`: a check by its name, with the names of the states that it has been in. Empty where there is
 * no such check.
 *
 * @param now The present, milliseconds since the epoch.
 */
export function scoutData(query: string, machines: ScoutMachines, now: number): JsonObject {
  const check = machines.states().find(({ name, scout }) => scout && name === query);
  if (check === undefined) return {};
  const { name, version, state, path, id, startTime } = check;
  return {
    name,
    version,
    state,
    path,
    id,
    start_time: startTime,
    uptime: Math.max(0, Math.floor(now / 1_000) - startTime),
    history: checkHistory(check.currentState),
  };
}

/** Names of the states in the history of what a check published, the oldest first; empty where there is none. */
export function checkHistory(status: JsonObject | undefined): string[] {
  const history = Array.isArray(status?.history) ? status.history : [];
  return history.map((entry) => statusName(isObject(entry) ? entry.status : undefined));
}

/** The name of a plugin's exit code. */
export function statusName(code: unknown): string {
  return (typeof code === "number" ? statusNames[code] : undefined) ?? "UNKNOWN";
}
