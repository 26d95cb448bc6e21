import { kindOf, typeName } from "./_kinds.ts";
import type { Run } from "./_run.ts";
import { ExprDuration, ExprEnum, ExprMoment, ExprZone, isMap, mapEntries, mapGet, mapHas, mapSize } from "./values.ts";

type Numeric = bigint | number;

/** A whole number as 64 bits hold it. */
export function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

/** Whether a value is a number of either kind. */
export function isNumeric(value: unknown): value is Numeric {
  return typeof value === "bigint" || typeof value === "number";
}

/** The value of an operator between two operands that are both evaluated. */
export function binary(run: Run, operator: string, a: unknown, b: unknown): unknown {
  switch (operator) {
    case "==":
      return equal(run, a, b);
    case "!=":
      return !equal(run, a, b);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return ordered(operator, order(run, operator, a, b));
    case "in":
      return isIn(run, a, b);
    case "..":
      return range(run, a, b);
    case "contains":
    case "startsWith":
    case "endsWith":
      return affix(run, operator, a, b);
    default:
      return arithmetic(run, operator, a, b);
  }
}

/** The value of `+`, `-`, `*`, `/`, `%` and `**`. */
export function arithmetic(run: Run, operator: string, a: unknown, b: unknown): unknown {
  if (typeof a === "bigint" && typeof b === "bigint") return whole(run, operator, a, b);
  if (isNumeric(a) && isNumeric(b) && operator !== "%") return floating(operator, Number(a), Number(b));
  if (operator === "+" && typeof a === "string" && typeof b === "string") return run.text(a + b);
  return temporal(operator, a, b) ?? mismatch(run, operator, a, b);
}

function whole(run: Run, operator: string, a: bigint, b: bigint): Numeric {
  switch (operator) {
    case "+":
      return wrap(a + b);
    case "-":
      return wrap(a - b);
    case "*":
      return wrap(a * b);
    case "%":
      if (b === 0n) throw run.error("integer divide by zero");
      return wrap(a % b);
    default:
      return floating(operator, Number(a), Number(b));
  }
}

function floating(operator: string, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    default:
      return a ** b;
  }
}

/** Sums and differences of moments and durations; undefined where there is none. */
function temporal(operator: string, a: unknown, b: unknown): unknown {
  if (a instanceof ExprDuration && b instanceof ExprDuration) {
    if (operator === "+") return new ExprDuration(a.ns + b.ns);
    if (operator === "-") return new ExprDuration(a.ns - b.ns);
    return operator === "*" ? new ExprDuration(a.ns * b.ns) : undefined;
  }
  if (a instanceof ExprMoment && b instanceof ExprDuration) {
    if (operator === "+") return shift(a, b.ns);
    return operator === "-" ? shift(a, -b.ns) : undefined;
  }
  if (a instanceof ExprDuration && b instanceof ExprMoment) return operator === "+" ? shift(b, a.ns) : undefined;
  if (a instanceof ExprMoment && b instanceof ExprMoment && operator === "-") {
    return new ExprDuration(a.time.epochNanoseconds - b.time.epochNanoseconds);
  }
  return operator === "*" ? multiple(a, b) : undefined;
}

function multiple(a: unknown, b: unknown): unknown {
  const [length, factor] = a instanceof ExprDuration ? [a, b] : [b, a];
  if (!(length instanceof ExprDuration)) return undefined;
  if (typeof factor === "bigint") return new ExprDuration(length.ns * factor);
  return typeof factor === "number" ? Number(length.ns) * factor : undefined;
}

/** A moment so many nanoseconds later. */
export function shift({ time }: ExprMoment, ns: bigint): ExprMoment {
  const instant = Temporal.Instant.fromEpochNanoseconds(time.epochNanoseconds + ns);
  return new ExprMoment(instant.toZonedDateTimeISO(time.timeZoneId));
}

function mismatch(run: Run, operator: string, a: unknown, b: unknown): never {
  throw run.error(`invalid operation: ${typeName(a)} ${operator} ${typeName(b)}`);
}

/**
 * Which of two values comes first: negative, zero or positive; NaN when a number is none.
 * @throws {ExprError} when they cannot be compared, with the operator in the message.
 */
export function order(run: Run, operator: string, a: unknown, b: unknown): number {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  if (typeof a === "string" && typeof b === "string") {
    run.spend((a.length + b.length) >> 6);
    return compareText(a, b);
  }
  if (a instanceof ExprMoment && b instanceof ExprMoment) return Temporal.ZonedDateTime.compare(a.time, b.time);
  if (a instanceof ExprDuration && b instanceof ExprDuration) return a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0;
  return mismatch(run, operator, a, b);
}

function compareNumbers(a: Numeric, b: Numeric): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Texts are ordered by their bytes in UTF-8, which is the order of their code points. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function ordered(operator: string, comparison: number): boolean {
  if (operator === "<") return comparison < 0;
  if (operator === "<=") return comparison <= 0;
  return operator === ">" ? comparison > 0 : comparison >= 0;
}

/** Whether two values say the same: 1 equals 1.0, and nil nothing but nil. */
export function equal(run: Run, a: unknown, b: unknown): boolean {
  if (isNumeric(a) && isNumeric(b)) return order(run, "==", a, b) === 0;
  if (a === b || (a ?? null) === (b ?? null)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  return run.deeper(() => equalParts(run, a, b));
}

function equalParts(run: Run, a: object, b: object): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => equal(run, item, b[i]));
  }
  if (isMap(a) && isMap(b)) {
    if (mapSize(a) !== mapSize(b)) return false;
    run.spend(mapSize(a));
    return mapEntries(a).every(([key, value]) => mapHas(b, key) && equalStrictly(run, value, mapGet(b, key)));
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof ExprDuration && b instanceof ExprDuration) return a.ns === b.ns;
  if (a instanceof ExprEnum && b instanceof ExprEnum) return a.type === b.type && a.value === b.value;
  if (a instanceof ExprZone && b instanceof ExprZone) return a.name === b.name;
  return a instanceof ExprMoment && b instanceof ExprMoment && Temporal.ZonedDateTime.compare(a.time, b.time) === 0;
}

/** Within maps 1 is not 1.0. */
function equalStrictly(run: Run, a: unknown, b: unknown): boolean {
  return typeof a === typeof b && equal(run, a, b);
}

function isIn(run: Run, item: unknown, whole: unknown): boolean {
  if (whole === null || whole === undefined) return false;
  if (Array.isArray(whole)) {
    return whole.some((each) => {
      run.spend(1);
      return equal(run, each, item);
    });
  }
  if (!isMap(whole)) throw run.error(`operator "in" not defined on ${typeName(whole)}`);
  if (item === null || item === undefined) return false;
  if (!(whole instanceof Map) && typeof item !== "string") {
    throw run.error(`cannot use ${typeName(item)} as type string in map key`);
  }
  return mapHas(whole, item);
}

function range(run: Run, from: unknown, to: unknown): bigint[] {
  const [first, last] = [toInteger(run, from), toInteger(run, to)];
  if (last < first) return [];
  const length = last - first + 1n;
  run.allot(Number(length));
  return Array.from({ length: Number(length) }, (_, i) => first + BigInt(i));
}

function affix(run: Run, operator: string, a: unknown, b: unknown): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return false;
  const [text, part] = [toText(run, a), toText(run, b)];
  run.spend(text.length >> 6);
  if (operator === "contains") return text.includes(part);
  return operator === "startsWith" ? text.startsWith(part) : text.endsWith(part);
}

/** The value of an operator in front of one operand. */
export function unary(run: Run, operator: string, value: unknown): unknown {
  if (operator === "not" || operator === "!") return !toBoolean(run, value);
  if (operator === "+") return value;
  if (!isNumeric(value)) throw run.error(`invalid operation: ${operator} ${typeName(value)}`);
  return typeof value === "bigint" ? wrap(-value) : -value;
}

/** A value that has to be a boolean. */
export function toBoolean(run: Run, value: unknown): boolean {
  return typeof value === "boolean" ? value : wrongKind(run, value, "bool");
}

/** A value that has to be a string. */
export function toText(run: Run, value: unknown): string {
  return typeof value === "string" ? value : wrongKind(run, value, "string");
}

/** A value that has to be a list. */
export function toList(run: Run, value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw run.error(`${what} ${typeName(value)}`);
}

/** A number without its fraction; what is no number is an error. */
export function toInteger(run: Run, value: unknown): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return truncate(value);
  if (value instanceof ExprEnum) return value.value;
  if (value instanceof ExprDuration) return value.ns;
  throw run.error(`invalid operation: int(${typeName(value)})`);
}

/** A float as 64 bits hold it; what does not fit is the smallest number. */
export function truncate(value: number): bigint {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) return -(1n << 63n);
  return BigInt(Math.trunc(value));
}

function wrongKind(run: Run, value: unknown, wanted: string): never {
  const found = kindOf(value) === "nil" ? "nil" : typeName(value);
  throw run.error(`interface conversion: interface {} is ${found}, not ${wanted}`);
}
