import { isObject, isStringList, type JsonObject } from "../std/mod.ts";
import { ProtocolError } from "./error.ts";

/** How a fact is compared. */
export type FactOperator = "==" | "!=" | "=~" | "<" | "<=" | ">" | ">=";

/** One condition on a fact. */
export interface FactFilter {
  fact: string;
  operator: FactOperator;
  value: string;
}

/** Which nodes a request is meant for. Every kind that is not empty must match. */
export interface Filter {
  fact: FactFilter[];
  cf_class: string[];
  agent: string[];
  identity: string[];
  /** Each inner list holds one expression. */
  compound: { expr: string }[][];
}

const operators: ReadonlySet<string> = new Set(["==", "!=", "=~", "<", "<=", ">", ">="]);
const spellings: Readonly<Record<string, FactOperator>> = { "=": "==", "=<": "<=", "=>": ">=" };

/** A filter that matches every node. */
export function emptyFilter(): Filter {
  return { fact: [], cf_class: [], agent: [], identity: [], compound: [] };
}

/** Whether a filter holds nothing at all. */
export function isEmptyFilter(filter: Filter): boolean {
  return Object.values(filter).every((list) => list.length === 0);
}

/**
 * Read a fact filter as people type it: `memory.size>=4096`, `os=linux`, `name=/^web/`. The right-most operator
 * counts; a value between slashes is a regular expression.
 *
 * @throws {SyntaxError} `could not parse fact X it does not appear to be in a valid format`.
 */
export function parseFactFilter(text: string): FactFilter {
  const last = [...text.matchAll(/<=|>=|=>|=<|<|>|!=|=~|={1,2}/g)].at(-1);
  const operator = last?.[0] ?? "";
  const fact = text.slice(0, last?.index ?? 0).trim();
  const value = text.slice((last?.index ?? 0) + operator.length).trim();
  const isBad = fact === "" || value === "" || /^[<>=]/.test(fact) || /[<>=]$/.test(value);
  const known = spellings[operator] ?? (operators.has(operator) ? (operator as FactOperator) : undefined);
  if (isBad || known === undefined) {
    throw new SyntaxError(`could not parse fact ${text} it does not appear to be in a valid format`);
  }
  const isRegex = value.startsWith("/") && value.endsWith("/");
  return { fact, operator: isRegex ? "=~" : known, value };
}

/**
 * Give a filter from the wire its type; absent kinds are empty.
 * @throws {ProtocolError} naming the part that has another form.
 */
export function decodeFilter(value: unknown): Filter {
  if (value === undefined) return emptyFilter();
  if (!isObject(value)) throw bad("", "expected an object");
  return {
    fact: decodeList(value, "fact").map(decodeFact),
    cf_class: decodeTexts(value, "cf_class"),
    agent: value.agent === undefined || value.agent === null ? [] : decodeTexts(value, "agent"),
    identity: decodeTexts(value, "identity"),
    compound: decodeList(value, "compound").map(decodeCompound),
  };
}

/** Like {@link decodeFilter}, with kinds that are missing taken for empty ones. */
export function decodePartialFilter(value: unknown): Filter {
  if (value === undefined || value === null) return emptyFilter();
  if (!isObject(value)) throw bad("", "expected an object");
  return decodeFilter({ ...emptyFilter(), ...value });
}

function decodeList(filter: JsonObject, key: string): unknown[] {
  const value = filter[key];
  if (!Array.isArray(value)) throw bad(`/${key}`, "expected an array");
  return value;
}

function decodeTexts(filter: JsonObject, key: string): string[] {
  const value = decodeList(filter, key);
  if (!isStringList(value)) throw bad(`/${key}`, "expected strings");
  return value;
}

function decodeFact(value: unknown): FactFilter {
  if (!isObject(value)) throw bad("/fact", "expected objects");
  const { fact, operator, value: wanted } = value;
  if (typeof fact !== "string" || fact === "") throw bad("/fact", "expected a fact name");
  if (typeof wanted !== "string" || wanted === "") throw bad("/fact", "expected a value");
  if (typeof operator !== "string" || !operators.has(operator)) throw bad("/fact", "expected a known operator");
  return { fact, operator: operator as FactOperator, value: wanted };
}

function decodeCompound(value: unknown): { expr: string }[] {
  if (!Array.isArray(value)) throw bad("/compound", "expected arrays");
  return value.map((item) => {
    if (!isObject(item) || typeof item.expr !== "string") throw bad("/compound", "expected expressions");
    return { expr: item.expr };
  });
}

function bad(where: string, reason: string): ProtocolError {
  return new ProtocolError(`Cannot read the request: /filter${where}: ${reason}`);
}
