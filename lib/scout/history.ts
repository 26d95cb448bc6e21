import { isObject, type JsonObject } from "../std/mod.ts";

/** What checks call their states, by the exit code of a plugin. */
const statusNames = ["OK", "WARNING", "CRITICAL", "UNKNOWN"] as const;

/** Names of the states in the history of what a check published, the oldest first; empty where there is none. */
export function checkHistory(status: JsonObject | undefined): string[] {
  const history = Array.isArray(status?.history) ? status.history : [];
  return history.map((entry) => statusName(isObject(entry) ? entry.status : undefined));
}

function statusName(code: unknown): string {
  return (typeof code === "number" ? statusNames[code] : undefined) ?? "UNKNOWN";
}
