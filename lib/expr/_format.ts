import { typeName } from "./_kinds.ts";
import type { Run } from "./_run.ts";
import { formatMoment, formatNanoseconds, rfc3339Nano } from "./_time.ts";
import { ExprDuration, ExprEnum, ExprMoment, ExprZone, isMap, mapEntries } from "./values.ts";

/** A value as text for people: `[a 1]`, `map[x:1]`, `<nil>`. */
export function display(run: Run, value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatFloat(value);
  if (typeof value !== "object") return typeof value === "function" ? "func" : String(value);
  return run.deeper(() => run.text(displayParts(run, value)));
}

function displayParts(run: Run, value: object): string {
  if (value instanceof ExprDuration) return formatNanoseconds(value.ns);
  if (value instanceof ExprMoment) return formatMoment(value.time);
  if (value instanceof ExprEnum) return value.text;
  if (value instanceof ExprZone) return value.name;
  if (value instanceof Uint8Array) return `[${[...value].join(" ")}]`;
  if (Array.isArray(value)) return `[${value.map((item) => display(run, item)).join(" ")}]`;
  if (!isMap(value)) return typeName(value);
  const entries = sorted(value).map(([key, item]) => `${display(run, key)}:${display(run, item)}`);
  return `map[${entries.join(" ")}]`;
}

/** A float as Go prints it: as few digits as tell it from others, with an exponent where that is shorter. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return plain(value);
  const sign = exponent < 0 ? "-" : "+";
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function plain(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(20).replace(/\.?0+$/, "") : text;
}

/** A value as JSON, two spaces a level, keys in order. */
export function toJson(run: Run, value: unknown, indent = ""): string {
  if (value === null || value === undefined || typeof value === "function") return "null";
  if (typeof value === "string") return run.text(quote(value));
  if (typeof value === "number") return jsonNumber(run, value);
  if (typeof value !== "object") return String(value);
  return run.deeper(() => run.text(jsonParts(run, value, indent)));
}

function jsonNumber(run: Run, value: number): string {
  if (!Number.isFinite(value)) throw run.error(`json: unsupported value: ${formatFloat(value)}`);
  return Object.is(value, -0) ? "-0" : String(value);
}

function jsonParts(run: Run, value: object, indent: string): string {
  if (value instanceof ExprDuration) return String(value.ns);
  if (value instanceof ExprEnum) return String(value.value);
  if (value instanceof ExprMoment) return quote(rfc3339Nano(value.time));
  if (value instanceof Uint8Array) return quote(Buffer.from(value).toString("base64"));
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return block(
      "[]",
      indent,
      value.map((item) => toJson(run, item, inner)),
    );
  }
  if (!isMap(value)) return "{}";
  if (value instanceof Map) throw run.error("json: unsupported type: map[interface {}]interface {}");
  const entries = sorted(value).map(([key, item]) => `${quote(String(key))}: ${toJson(run, item, inner)}`);
  return block("{}", indent, entries);
}

function block(brackets: string, indent: string, lines: readonly string[]): string {
  if (lines.length === 0) return brackets;
  return `${brackets[0]}\n${lines.map((line) => `${indent}  ${line}`).join(",\n")}\n${indent}${brackets[1]}`;
}

/** Signs that mean something in HTML are escaped, as Go does. */
function quote(text: string): string {
  const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, escaped);
}

function sorted(map: Parameters<typeof mapEntries>[0]): [unknown, unknown][] {
  return mapEntries(map).sort(([a], [b]) => {
    if (typeof a === "bigint" && typeof b === "bigint") return a < b ? -1 : 1;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
  });
}
