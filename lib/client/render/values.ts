import { isObject } from "../../std/mod.ts";

/** Longest line on which a list is kept together. */
const lineWidth = 80;

/** A value of a reply for people: texts as they are, nothing for null, lists and objects as readable JSON. */
export function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? prettyJson(value, "") : String(value);
}

/** JSON with sorted keys, two spaces a level, short lists on one line. */
export function prettyJson(value: unknown, indent = ""): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => JSON.stringify(item) ?? "null").join(", ")}]`;
    if (value.length === 0 || indent.length + line.length <= lineWidth) return line;
    return `[\n${value.map((item) => deeper + prettyJson(item, deeper)).join(",\n")}\n${indent}]`;
  }
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  const keys = Object.keys(value).sort();
  if (keys.length === 0) return "{}";
  const lines = keys.map((key) => `${deeper}${JSON.stringify(key)}: ${prettyJson(value[key], deeper)}`);
  return `{\n${lines.join(",\n")}\n${indent}}`;
}
