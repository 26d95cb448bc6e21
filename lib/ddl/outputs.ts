import { isObject, type JsonObject } from "../std/mod.ts";
import type { DdlAction } from "./ddl.ts";

/** The label of an output for people: as the DDL has it, else its name. */
export function outputLabel(action: DdlAction, name: string): string {
  return (Object.hasOwn(action.output, name) ? action.output[name]?.display_as : undefined) ?? name;
}

/** What an agent gave, with the defaults of outputs that it left out; anything but an object is none. */
export function withOutputDefaults(action: DdlAction, data: unknown): JsonObject {
  const given = isObject(data) ? data : {};
  const missing = Object.entries(action.output).filter(
    ([name, output]) => output.default !== undefined && !Object.hasOwn(given, name),
  );
  if (missing.length === 0) return given;
  return { ...given, ...Object.fromEntries(missing.map(([name, output]) => [name, output.default])) };
}
