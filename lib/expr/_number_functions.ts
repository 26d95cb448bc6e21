import type { Builtin, Builtins } from "./_builtin.ts";
import { common, type Kind, kindOf, typeName } from "./_kinds.ts";
import { arithmetic, isNumeric, order, truncate, wrap } from "./_operators.ts";
import type { Run } from "./_run.ts";
import { ExprDuration, ExprEnum } from "./values.ts";

const numeric = ["int", "float"] as const;

/** Functions that work on numbers. */
export const numberFunctions: Builtins = {
  abs: { parameters: ["any"], accepts: numeric, returns: "any", outcome: ([kind = "any"]) => kind, call: abs },
  ceil: rounding("ceil", Math.ceil),
  floor: rounding("floor", Math.floor),
  round: rounding("round", (value) => Math.sign(value) * Math.round(Math.abs(value))),
  int: { parameters: ["any"], accepts: ["int", "float", "string", "enum", "duration"], returns: "int", call: int },
  float: { parameters: ["any"], accepts: [...numeric, "string"], returns: "float", call: float },
  min: extreme("min", "<"),
  max: extreme("max", ">"),
  mean: { parameters: ["any"], accepts: [...numeric, "array"], isVariadic: true, returns: "float", call: mean },
  median: { parameters: ["any"], accepts: [...numeric, "array"], isVariadic: true, returns: "float", call: median },
  bitand: bitwise("bitand", (a, b) => a & b),
  bitor: bitwise("bitor", (a, b) => a | b),
  bitxor: bitwise("bitxor", (a, b) => a ^ b),
  bitnand: bitwise("bitnand", (a, b) => a & ~b),
  bitshl: shifting("bitshl", (a, b) => (b > 63n ? 0n : a << b)),
  bitshr: shifting("bitshr", (a, b) => a >> (b > 63n ? 63n : b)),
  bitushr: shifting("bitushr", (a, b) => (b > 63n ? 0n : BigInt.asUintN(64, a) >> b)),
  bitnot: { parameters: ["int"], returns: "int", call: (run, [value]) => ~bits(run, value, "bitnot") },
};

function invalid(run: Run, name: string, value: unknown): never {
  throw run.error(`invalid argument for ${name} (type ${typeName(value)})`);
}

function abs(run: Run, [value]: readonly unknown[]): bigint | number {
  if (typeof value === "bigint") return value < 0n ? wrap(-value) : value;
  return typeof value === "number" ? Math.abs(value) : invalid(run, "abs", value);
}

function rounding(name: string, round: (value: number) => number): Builtin {
  const call = (run: Run, [value]: readonly unknown[]) =>
    isNumeric(value) ? round(Number(value)) : invalid(run, name, value);
  return { parameters: ["any"], accepts: numeric, returns: "float", call };
}

function int(run: Run, [value]: readonly unknown[]): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return truncate(value);
  if (value instanceof ExprEnum) return value.value;
  if (value instanceof ExprDuration) return value.ns;
  if (typeof value !== "string") throw run.error(`invalid operation: int(${typeName(value)})`);
  const read = /^[+-]?\d{1,20}$/.test(value) ? BigInt(value.replace(/^\+/, "")) : undefined;
  if (read === undefined || wrap(read) !== read) throw run.error(`invalid operation: int(${value.slice(0, 80)})`);
  return read;
}

function float(run: Run, [value]: readonly unknown[]): number {
  if (isNumeric(value)) return Number(value);
  if (typeof value !== "string") throw run.error(`invalid operation: float(${typeName(value)})`);
  const word = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(value);
  if (word !== null) {
    const isNan = word[2]?.toLowerCase() === "nan";
    return isNan ? Number.NaN : word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
  throw run.error(`invalid operation: float(${value.slice(0, 80)})`);
}

/** All values of the arguments, those of lists one by one. */
function* spread(run: Run, given: readonly unknown[]): Generator<unknown> {
  for (const value of given) {
    run.spend(1);
    if (Array.isArray(value)) yield* run.deeper(() => [...spread(run, value as unknown[])]);
    else yield value;
  }
}

function extreme(name: string, operator: "<" | ">"): Builtin {
  const call = (run: Run, given: readonly unknown[]) => {
    let best: unknown = null;
    for (const value of spread(run, given)) {
      if (given.length === 1 && (value === null || value === undefined)) continue;
      if (!isNumeric(value) && !(value instanceof ExprDuration)) invalid(run, name, value);
      if (best === null || order(run, operator, value, best) * (operator === "<" ? -1 : 1) > 0) best = value;
    }
    return best;
  };
  const outcome = (kinds: readonly Kind[]) => (kinds.includes("array") ? "any" : kinds.reduce(common));
  return {
    parameters: ["any"],
    accepts: [...numeric, "duration", "array", "nil"],
    isVariadic: true,
    returns: "any",
    outcome,
    call,
  };
}

function numbers(run: Run, given: readonly unknown[], name: string): number[] {
  return run.list(
    [...spread(run, given)].map((value) => (isNumeric(value) ? Number(value) : invalid(run, name, value))),
  );
}

function mean(run: Run, given: readonly unknown[]): number {
  const all = numbers(run, given, "mean");
  return all.length === 0 ? 0 : all.reduce((sum, value) => sum + value, 0) / all.length;
}

function median(run: Run, given: readonly unknown[]): number {
  const all = numbers(run, given, "median").sort((a, b) => a - b);
  const middle = all.length >> 1;
  const upper = all[middle] ?? 0;
  return all.length % 2 === 1 ? upper : (upper + (all[middle - 1] ?? 0)) / 2;
}

function bits(run: Run, value: unknown, name: string): bigint {
  if (typeof value === "bigint") return value;
  throw run.error(`cannot use ${typeName(value)} as argument (type int) to call ${name}`);
}

function bitwise(name: string, work: (a: bigint, b: bigint) => bigint): Builtin {
  const call = (run: Run, [a, b]: readonly unknown[]) => wrap(work(bits(run, a, name), bits(run, b, name)));
  return { parameters: ["int", "int"], returns: "int", call };
}

function shifting(name: string, work: (a: bigint, b: bigint) => bigint): Builtin {
  const call = (run: Run, [a, b]: readonly unknown[]) => {
    const places = bits(run, b, name);
    if (places < 0n) throw run.error(`invalid operation: negative shift count ${places} (type int)`);
    return wrap(work(bits(run, a, name), places));
  };
  return { parameters: ["int", "int"], returns: "int", call };
}

/** The sum of values; 0 of none. */
export function sum(run: Run, values: readonly unknown[]): unknown {
  const [first, ...rest] = values;
  if (first === undefined) return 0n;
  if (common(kindOf(first), "duration") === "duration")
    return rest.reduce((all, each) => arithmetic(run, "+", all, each), first);
  return values.reduce((all, each) => {
    run.spend(1);
    return arithmetic(run, "+", each, all);
  }, 0n);
}
