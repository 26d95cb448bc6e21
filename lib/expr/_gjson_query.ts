import { keyTokens, matchesTokens } from "./_gjson_text.ts";

/** The condition of a `#(…)` query. */
export interface Query {
  /** Path within the element; empty for the element itself. */
  path: string;
  /** Empty where the path only has to exist. */
  operator: "" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "%" | "!%";
  /** What is compared with, strings without their quotes. */
  value: string;
  /** `~true`, `~false`, `~null`, `~*`: compare with how truthy the value is. */
  tilde?: string;
}

const operators = ["==", "=", "!=", "!%", "<=", ">=", "<", ">", "%"] as const;

/** Read what stands between the brackets of a query. */
export function parseQuery(text: string): Query {
  const at = operatorAt(text);
  const path = text.slice(0, at).trim();
  const found = operators.find((operator) => text.startsWith(operator, at));
  if (found === undefined) return { path, operator: "", value: "" };
  const operator = found === "==" ? "=" : found;
  const value = text.slice(at + found.length).trim();
  if (value.startsWith("~")) return { path, operator, value: "", tilde: value.slice(1) };
  return { path, operator, value: unquote(value) };
}

/** Whether what the query's path found in an element meets its condition; undefined is "nothing found". */
export function meetsQuery(query: Query, found: unknown): boolean {
  const { operator, tilde } = query;
  if (tilde !== undefined) return compare(operator, truth(tilde, found), "true");
  if (found === undefined) return false;
  if (operator === "") return true;
  if (typeof found === "string") return compareText(operator, found, query.value);
  if (typeof found === "number" || typeof found === "bigint") return compareNumber(operator, found, query.value);
  if (typeof found === "boolean") return compareBoolean(operator, found, query.value);
  return false;
}

/** Where the operator begins: the first of its characters outside of nested queries and escapes. */
function operatorAt(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at] ?? "";
    if (c === "\\") at++;
    else if (c === "(" || c === "[") depth++;
    else if (c === ")" || c === "]") depth--;
    else if (depth === 0 && "=!<>%".includes(c)) return at;
  }
  return text.length;
}

function unquote(value: string): string {
  if (!value.startsWith('"') || !value.endsWith('"') || value.length < 2) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value.slice(1, -1);
  }
}

function truth(tilde: string, found: unknown): string {
  if (tilde === "*") return String(found !== undefined);
  if (tilde === "null") return String(found === undefined || found === null);
  const isTrue = found === true || /^(1|t|true)$/i.test(String(found)) || (typeof found === "number" && found !== 0);
  return String(tilde === "true" ? isTrue : !isTrue);
}

function compare(operator: Query["operator"], left: string, right: string): boolean {
  return operator === "!=" ? left !== right : left === right;
}

function compareText(operator: Query["operator"], left: string, right: string): boolean {
  if (operator === "%") return matchesTokens(left, keyTokens(right));
  if (operator === "!%") return !matchesTokens(left, keyTokens(right));
  return order(operator, left, right);
}

function compareNumber(operator: Query["operator"], left: number | bigint, right: string): boolean {
  const parsed = Number(right);
  return order(operator, Number(left), Number.isNaN(parsed) ? 0 : parsed);
}

function compareBoolean(operator: Query["operator"], left: boolean, right: string): boolean {
  if (operator === "=") return right === String(left);
  if (operator === "!=") return right !== String(left);
  const isOther = right === String(!left);
  if (left) return operator === ">=" || (operator === ">" && isOther);
  return operator === "<=" || (operator === "<" && isOther);
}

function order<T extends string | number>(operator: Query["operator"], left: T, right: T): boolean {
  if (operator === "=") return left === right;
  if (operator === "!=") return left !== right;
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  if (operator === ">") return left > right;
  return operator === ">=" && left >= right;
}
