import { charge } from "./_ambient.ts";
import { numberText } from "./_scalars.ts";
import { isArray, RegoObject, type RegoScalar, RegoSet, type RegoValue } from "./values.ts";

/** A value as a policy would write it: sets in braces, strings quoted, ", " and ": " between parts. */
export function valueText(value: RegoValue): string {
  charge(0);
  if (isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (value instanceof RegoSet) return value.size === 0 ? "set()" : `{${value.values().map(valueText).join(", ")}}`;
  if (!(value instanceof RegoObject)) return scalarText(value);
  return `{${value
    .entries()
    .map(([key, item]) => `${valueText(key)}: ${valueText(item)}`)
    .join(", ")}}`;
}

function scalarText(value: RegoScalar): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "number" || typeof value === "bigint" ? numberText(value) : String(value);
}

/** How JSON text is laid out. */
export interface JsonLayout {
  readonly indent: string;
  readonly prefix: string;
}

/** A value as JSON: sets as arrays, keys that are no strings as their text; with a layout over several lines. */
export function jsonText(value: RegoValue, layout?: JsonLayout): string {
  return (layout?.prefix ?? "") + write(value, layout, "");
}

function write(value: RegoValue, layout: JsonLayout | undefined, margin: string): string {
  charge(margin.length >> 3);
  if (isArray(value))
    return list(
      "[",
      "]",
      value.map((v) => write(v, layout, inner(layout, margin))),
      layout,
      margin,
    );
  if (value instanceof RegoSet) return write(value.values(), layout, margin);
  if (!(value instanceof RegoObject)) return escapeHtml(scalarText(value));
  const colon = layout === undefined ? ":" : ": ";
  const parts = value
    .entries()
    .map(
      ([key, item]) =>
        `${escapeHtml(JSON.stringify(keyText(key)))}${colon}${write(item, layout, inner(layout, margin))}`,
    );
  return list("{", "}", parts, layout, margin);
}

function inner(layout: JsonLayout | undefined, margin: string): string {
  return layout === undefined ? "" : margin + layout.indent;
}

function list(open: string, close: string, parts: string[], layout: JsonLayout | undefined, margin: string): string {
  if (layout === undefined || parts.length === 0) return open + parts.join(",") + close;
  const line = `\n${layout.prefix}${margin}`;
  return open + parts.map((part) => line + layout.indent + part).join(",") + line + close;
}

const HTML: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

function escapeHtml(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (char) => HTML[char] ?? char);
}

/** The name under which a key of any type appears in JSON. */
export function keyText(key: RegoValue): string {
  return typeof key === "string" ? key : jsonText(key);
}

/** Plain JavaScript for a value: sets become arrays in order, big integers stay bigint. */
export function toPlain(value: RegoValue): unknown {
  charge(0);
  if (isArray(value)) return value.map(toPlain);
  if (value instanceof RegoSet) return value.values().map(toPlain);
  if (!(value instanceof RegoObject)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, item] of value.entries()) {
    const name = keyText(key);
    if (name === "__proto__") {
      Object.defineProperty(out, name, { value: toPlain(item), enumerable: true, writable: true, configurable: true });
    } else out[name] = toPlain(item);
  }
  return out;
}
