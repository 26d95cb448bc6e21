import { parseTemplate, renderTemplate as render, TemplateError, type TemplateModel } from "../../template/mod.ts";
import { valueText } from "../text.ts";
import {
  compareValues,
  equalValues,
  isArray,
  lookup,
  RegoObject,
  RegoSet,
  type RegoValue,
  sizeOf,
  typeName,
} from "../values.ts";
import { bad } from "./_kit.ts";
import { sprintf } from "./_sprintf.ts";

/**
 * Fills a template of Go's text/template language: fields, variables, if, range, with and the common functions.
 *
 * @throws BuiltinError for missing fields and for anything else the language has.
 */
export function renderTemplate(template: string, vars: RegoObject, make: (bytes: number) => void): string {
  try {
    const parsed = parseTemplate("template", template, (name) => Object.hasOwn(functions, name));
    return render(parsed, { ...model, made: make }, vars);
  } catch (error) {
    if (error instanceof TemplateError) throw bad(error.reason);
    throw error;
  }
}

const model: TemplateModel<RegoValue> = {
  literal: (value) => (typeof value === "bigint" ? Number(value) : value),
  isTrue,
  show: shown,
  field(value, name) {
    if (!(value instanceof RegoObject)) throw bad(`can't evaluate field ${name} of a ${typeName(value)}`);
    return value.get(name) ?? null;
  },
  entries(value) {
    if (value instanceof RegoObject) return value.entries();
    const items = isArray(value) ? value : value instanceof RegoSet ? value.values() : undefined;
    if (items === undefined) throw bad("range can't iterate over this value");
    return items.map((item, i) => [i, item] as const);
  },
  call: (name, args) => functions[name]?.(args) ?? null,
};

function isTrue(value: RegoValue): boolean {
  const size = typeof value === "string" ? value.length : sizeOf(value);
  return size === undefined ? value !== null && value !== false && value !== 0 : size > 0;
}

function shown(value: RegoValue): string {
  if (typeof value === "string") return value;
  if (value === null) return "<undefined>";
  if (isArray(value)) return `[${value.map(shown).join(" ")}]`;
  if (value instanceof RegoObject)
    return `map[${value
      .entries()
      .map(([k, v]) => `${shown(k)}:${shown(v)}`)
      .join(" ")}]`;
  return valueText(value);
}

type Call = (args: readonly RegoValue[]) => RegoValue;

const compared =
  (test: (order: number) => boolean): Call =>
  ([a = null, b = null]) =>
    test(compareValues(a, b));

const functions: Readonly<Record<string, Call>> = {
  print: (args) => args.map(shown).join(args.some((each) => typeof each === "string") ? "" : " "),
  println: (args) => `${args.map(shown).join(" ")}\n`,
  printf: ([format = null, ...args]) => sprintf(String(format), args),
  len: ([a = null]) => (typeof a === "string" ? Buffer.byteLength(a) : (sizeOf(a) ?? 0)),
  index: ([a = null, ...keys]) => keys.reduce<RegoValue>((value, key) => lookup(value, key) ?? null, a),
  not: ([a = null]) => !isTrue(a),
  and: (args) => args.find((each) => !isTrue(each)) ?? args[args.length - 1] ?? null,
  or: (args) => args.find(isTrue) ?? args[args.length - 1] ?? null,
  eq: ([a = null, ...others]) => others.some((each) => equalValues(a, each)),
  ne: ([a = null, b = null]) => !equalValues(a, b),
  lt: compared((order) => order < 0),
  le: compared((order) => order <= 0),
  gt: compared((order) => order > 0),
  ge: compared((order) => order >= 0),
  urlquery: (args) => encodeURIComponent(args.map(shown).join("")).replaceAll("%20", "+"),
  html: (args) =>
    args
      .map(shown)
      .join("")
      .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
};
