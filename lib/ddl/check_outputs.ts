import { isObject, type JsonObject } from "../std/mod.ts";
import type { DdlAction, ValueType } from "./ddl.ts";
import { withOutputDefaults } from "./outputs.ts";

/** Outputs that are what the DDL says, or why they are not. */
export type CheckedOutputs = { isFine: true; outputs: JsonObject } | { isFine: false; reason: string };

/**
 * Outputs of an action with the defaults of those that were left out; null counts as left out. What the DDL does not
 * name is kept.
 */
export function checkOutputs(action: DdlAction, data: unknown): CheckedOutputs {
  if (!isObject(data)) return { isFine: false, reason: "the outputs are not an object" };
  const given = Object.fromEntries(
    Object.entries(data).filter(([name, value]) => value !== null || !Object.hasOwn(action.output, name)),
  );
  for (const [name, { type = "" }] of Object.entries(action.output)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value !== undefined && !fits(type, value)) {
      return { isFine: false, reason: `the output '${name}' is not of the type ${type}` };
    }
  }
  return { isFine: true, outputs: withOutputDefaults(action, given) };
}

function fits(type: ValueType, value: unknown): boolean {
  switch (type) {
    case "string":
    case "list":
      return typeof value === "string";
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    case "float":
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    case "hash":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "":
      return true;
  }
}
