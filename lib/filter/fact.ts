import { type LookupBudget, lookup } from "../expr/mod.ts";
import type { FactFilter, FactOperator } from "../protocol/mod.ts";
import { patternTest } from "./_pattern.ts";

/** A filter that has no answer, as opposed to the answer no. */
export class FilterError extends Error {
  override readonly name = "FilterError";
}

/** Spellings of true, as Go reads booleans. */
const trueWords: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const largestInteger = (1n << 63n) - 1n;

/**
 * Whether a fact meets a condition. A fact that is missing meets none, not even `!=`.
 *
 * Comparisons follow the original to the letter, as users' filters lean on it: strings compare as lower-case text,
 * numbers as integers unless the wanted value has a point, in which case `>` also holds for equals.
 *
 * @param facts Parsed facts; integers may be bigints.
 * @param budget Shared by conditions that are evaluated together.
 * @throws {FilterError} when fact and value cannot be compared by the operator, or the expression is no regular one.
 */
export function matchFact(facts: unknown, filter: FactFilter, budget?: LookupBudget): boolean {
  const { fact, operator, value } = filter;
  const found = lookupFact(facts, fact, budget);
  if (found === undefined) return false;
  if (!isOperator(operator)) {
    throw new FilterError(`unknown fact matching operator ${operator} while looking for fact ${fact}`);
  }
  if (typeof found === "string") return matchText(found, operator, value, budget);
  if (typeof found === "number" || typeof found === "bigint") return matchNumber(found, operator, value, budget);
  if (typeof found === "boolean") return matchBoolean(found, operator, value);
  if (operator === "==" || operator === "!=" || operator === "=~") return false;
  throw new FilterError(`do not know how to evaluate data of type ${found === null ? "Null" : "JSON"}`);
}

function lookupFact(facts: unknown, path: string, budget?: LookupBudget): unknown {
  try {
    return lookup(facts, path, budget);
  } catch (error) {
    throw new FilterError(`Cannot look up the fact "${path.slice(0, 80)}"`, { cause: error });
  }
}

function isOperator(operator: string): operator is FactOperator {
  return ["==", "!=", "=~", "<", "<=", ">", ">="].includes(operator);
}

function matchText(found: string, operator: FactOperator, value: string, budget?: LookupBudget): boolean {
  const [a, b] = [found.toLowerCase(), value.toLowerCase()];
  if (operator === "==") return a === b;
  if (operator === "!=") return a !== b;
  if (operator === "=~") return search(value, found, budget);
  return ordered(Buffer.compare(Buffer.from(a), Buffer.from(b)), operator);
}

function matchNumber(found: number | bigint, operator: FactOperator, value: string, budget?: LookupBudget): boolean {
  const hasPoint = value.includes(".");
  if (operator === "=~") return search(value, hasPoint ? Number(found).toFixed(4) : String(whole(found)), budget);
  if (hasPoint) return matchFloat(Number(found), operator, readFloat(value));
  const integer = whole(found);
  if (operator === "==") return String(integer) === value;
  if (operator === "!=") return String(integer) !== value;
  const wanted = readInteger(value);
  return ordered(integer < wanted ? -1 : integer > wanted ? 1 : 0, operator);
}

function matchFloat(found: number, operator: FactOperator, wanted: number): boolean {
  if (operator === "==") return found === wanted;
  if (operator === "!=") return found !== wanted;
  // The original compares floats with >= here.
  return ordered(found - wanted, operator === ">" ? ">=" : operator);
}

function matchBoolean(found: boolean, operator: FactOperator, value: string): boolean {
  if (operator !== "==" && operator !== "!=" && operator !== "=~") {
    throw new FilterError(`do not know how to evaluate data of type ${found ? "True" : "False"}`);
  }
  const text = operator === "=~" ? value.toLowerCase() : value;
  // A false fact takes everything that does not say true, for != as well: a quirk that filters in use rely on.
  if (!found) return !trueWords.has(text);
  const isTrue = trueWords.has(text);
  return operator === "!=" ? !isTrue : isTrue;
}

function search(pattern: string, text: string, budget?: LookupBudget): boolean {
  try {
    return patternTest(pattern, { ignoreCase: true, ...(budget === undefined ? {} : { budget }) })(text);
  } catch (error) {
    throw new FilterError(`Cannot use the regular expression "${pattern.slice(0, 80)}"`, { cause: error });
  }
}

function ordered(comparison: number, operator: FactOperator): boolean {
  if (operator === "<") return comparison < 0;
  if (operator === "<=") return comparison <= 0;
  return operator === ">" ? comparison > 0 : comparison >= 0;
}

function whole(found: number | bigint): bigint {
  return typeof found === "bigint" ? found : BigInt(Math.trunc(found));
}

function readFloat(text: string): number {
  if (/^[+-]?(\d+\.\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  throw new FilterError(`Cannot compare a number with "${text}"`);
}

function readInteger(text: string): bigint {
  const value = /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, "")) : undefined;
  if (value !== undefined && value <= largestInteger && value >= -largestInteger - 1n) return value;
  throw new FilterError(`Cannot compare a whole number with "${text}"`);
}
