import { fromDecimal, isInteger, normalizeInteger, toDecimal } from "../_scalars.ts";
import { compareValues, RegoSet, type RegoValue, typeName } from "../values.ts";
import { type Args, any, bad, bigInt, type Family, fn, int, num, operandError } from "./_kit.ts";

type Num = number | bigint;
const MAX_BITS = 1 << 17;

/** An integer result, refused when it is absurdly long. */
export function integer(value: bigint): Num {
  if (value > 1n << BigInt(MAX_BITS) || value < -(1n << BigInt(MAX_BITS))) throw bad("number out of range");
  return normalizeInteger(value);
}

function add(a: Num, b: Num): Num {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(a) && Number.isSafeInteger(b) && Number.isSafeInteger(sum)) return sum;
  }
  if (isInteger(a) && isInteger(b)) return integer(BigInt(a) + BigInt(b));
  const [x, y] = [toDecimal(a), toDecimal(b)];
  const exponent = Math.min(x.exponent, y.exponent);
  const scale = (d: { digits: bigint; exponent: number }) => d.digits * 10n ** BigInt(d.exponent - exponent);
  return fromDecimal({ digits: scale(x) + scale(y), exponent });
}

function negate(a: Num): Num {
  return typeof a === "bigint" ? normalizeInteger(-a) : -a || 0;
}

function multiply(a: Num, b: Num): Num {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (Number.isSafeInteger(a) && Number.isSafeInteger(b) && Number.isSafeInteger(product)) return product || 0;
  }
  if (isInteger(a) && isInteger(b)) return integer(BigInt(a) * BigInt(b));
  const [x, y] = [toDecimal(a), toDecimal(b)];
  return fromDecimal({ digits: x.digits * y.digits, exponent: x.exponent + y.exponent });
}

/** The quotient of two numbers: exact when it is an integer, the nearest double otherwise. */
export function divide(a: Num, b: Num): Num {
  if (b === 0) throw bad("divide by zero");
  if (isInteger(a) && isInteger(b)) {
    const [x, y] = [BigInt(a), BigInt(b)];
    if (x % y === 0n) return integer(x / y);
  }
  return finite(Number(a) / Number(b));
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw bad("number out of range");
  return value || 0;
}

function minus(args: Args): RegoValue {
  const [a, b] = [any(args, 0), any(args, 1)];
  if (a instanceof RegoSet) {
    if (!(b instanceof RegoSet)) throw operandError(1, "set", typeName(b));
    return RegoSet.of(a.values().filter((item) => !b.has(item)));
  }
  if (typeof a !== "number" && typeof a !== "bigint") throw operandError(0, "one of {number, set}", typeName(a));
  return add(num(args, 0), negate(num(args, 1)));
}

function rem(args: Args): RegoValue {
  const [a, b] = [num(args, 0), num(args, 1)];
  if (!isInteger(a) || !isInteger(b)) throw bad("modulo on floating-point number");
  if (b === 0) throw bad("modulo by zero");
  return integer(BigInt(a) % BigInt(b));
}

function rounded(how: (x: number) => number): (args: Args) => RegoValue {
  return (args) => {
    const value = num(args, 0);
    return typeof value === "bigint" ? value : normal(how(value));
  };
}

function normal(value: number): Num {
  return Number.isSafeInteger(value) ? value || 0 : normalizeInteger(BigInt(value));
}

function halfAway(x: number): number {
  return Math.sign(x) * Math.round(Math.abs(x));
}

const MAX_RANGE = 10_000_000;

function range(from: bigint, to: bigint, step: bigint, make: (bytes: number) => void): RegoValue {
  const span = from <= to ? to - from : from - to;
  const count = Number(span / step) + 1;
  if (count > MAX_RANGE) throw bad("range is too long");
  make(count * 8);
  const direction = from <= to ? step : -step;
  return Array.from({ length: count }, (_, i) => normalizeInteger(from + direction * BigInt(i)));
}

function shift(args: Args): number {
  const by = bigInt(args, 1);
  if (by < 0n) throw operandError(1, "an unsigned integer number", "a negative integer");
  if (by > BigInt(MAX_BITS)) throw bad("shift out of range");
  return Number(by);
}

/** Total of a list of numbers. */
export function sumOf(values: readonly Num[]): Num {
  return values.reduce(add, 0);
}

/** Product of a list of numbers. */
export function productOf(values: readonly Num[]): Num {
  return values.reduce(multiply, 1);
}

/** Comparison, arithmetic, bits and ranges. */
export const NUMBERS: Family = {
  equal: fn(2, (a) => compareValues(any(a, 0), any(a, 1)) === 0),
  neq: fn(2, (a) => compareValues(any(a, 0), any(a, 1)) !== 0),
  lt: fn(2, (a) => compareValues(any(a, 0), any(a, 1)) < 0),
  lte: fn(2, (a) => compareValues(any(a, 0), any(a, 1)) <= 0),
  gt: fn(2, (a) => compareValues(any(a, 0), any(a, 1)) > 0),
  gte: fn(2, (a) => compareValues(any(a, 0), any(a, 1)) >= 0),
  plus: fn(2, (a) => add(num(a, 0), num(a, 1))),
  minus: fn(2, minus),
  mul: fn(2, (a) => multiply(num(a, 0), num(a, 1))),
  div: fn(2, (a) => divide(num(a, 0), num(a, 1))),
  rem: fn(2, rem),
  abs: fn(1, (a) => (num(a, 0) < 0 ? negate(num(a, 0)) : num(a, 0))),
  round: fn(1, rounded(halfAway)),
  ceil: fn(1, rounded(Math.ceil)),
  floor: fn(1, rounded(Math.floor)),
  "bits.and": fn(2, (a) => integer(bigInt(a, 0) & bigInt(a, 1))),
  "bits.or": fn(2, (a) => integer(bigInt(a, 0) | bigInt(a, 1))),
  "bits.xor": fn(2, (a) => integer(bigInt(a, 0) ^ bigInt(a, 1))),
  "bits.negate": fn(1, (a) => integer(~bigInt(a, 0))),
  "bits.lsh": fn(2, (a) => integer(bigInt(a, 0) << BigInt(shift(a)))),
  "bits.rsh": fn(2, (a) => integer(bigInt(a, 0) >> BigInt(shift(a)))),
  "numbers.range": fn(2, (a, c) => range(bigInt(a, 0), bigInt(a, 1), 1n, (n) => c.meter.make(n))),
  "numbers.range_step": fn(3, (a, c) => {
    if (bigInt(a, 2) <= 0n) throw bad("step must be a positive integer");
    return range(bigInt(a, 0), bigInt(a, 1), bigInt(a, 2), (n) => c.meter.make(n));
  }),
  "rand.intn": fn(2, (a, c) => {
    const limit = Math.abs(int(a, 1));
    const key = `rand.intn ${JSON.stringify(any(a, 0))} ${limit}`;
    const known = c.memo.get(key);
    if (typeof known === "number") return known;
    const made = limit === 0 ? 0 : Math.floor(Math.random() * limit);
    c.memo.set(key, made);
    return made;
  }),
};
