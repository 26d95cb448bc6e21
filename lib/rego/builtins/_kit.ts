import type { Context } from "../context.ts";
import { BuiltinError } from "../errors.ts";
import { isArray, RegoObject, RegoSet, type RegoValue, typeName } from "../values.ts";

/** Arguments of a built-in function. */
export type Args = readonly RegoValue[];

/** A built-in function of the language. */
export interface Builtin {
  readonly arity: number;
  /** The result; undefined leaves the expression undefined, as a BuiltinError does outside strict mode. */
  readonly code: (args: Args, c: Context) => RegoValue | undefined;
  /** For functions with many results: hands them to a callback until it returns true. */
  readonly relation?: (c: Context, args: Args, each: (value: RegoValue) => boolean) => boolean;
  /** Gone since v1. */
  readonly deprecated?: boolean;
}

/** Built-in functions by name. */
export type Family = Readonly<Record<string, Builtin>>;

/** A built-in function. */
export function fn(arity: number, code: Builtin["code"]): Builtin {
  return { arity, code };
}

/** A built-in function that v1 no longer has. */
export function old(arity: number, code: Builtin["code"]): Builtin {
  return { arity, code, deprecated: true };
}

/** The error for an operand of the wrong type. */
export function operandError(i: number, wanted: string, found: RegoValue | string): BuiltinError {
  const name = typeof found === "string" ? found : typeName(found);
  return new BuiltinError(`operand ${i + 1} must be ${wanted} but got ${name}`, "eval_type_error");
}

/** Operand i, which exists as the arity was checked. */
export function any(args: Args, i: number): RegoValue {
  return args[i] ?? null;
}

/** A string operand. */
export function str(args: Args, i: number): string {
  const value = any(args, i);
  if (typeof value !== "string") throw operandError(i, "string", typeName(value));
  return value;
}

/** A number operand. */
export function num(args: Args, i: number): number | bigint {
  const value = any(args, i);
  if (typeof value !== "number" && typeof value !== "bigint") throw operandError(i, "number", typeName(value));
  return value;
}

/** An operand that is an integer. */
export function bigInt(args: Args, i: number): bigint {
  const value = num(args, i);
  if (typeof value === "bigint") return value;
  if (!Number.isInteger(value)) throw operandError(i, "integer number", "floating-point number");
  return BigInt(value);
}

/** An operand that is an integer of ordinary size. */
export function int(args: Args, i: number): number {
  const value = Number(bigInt(args, i));
  if (!Number.isSafeInteger(value)) throw operandError(i, "integer number", "a number out of range");
  return value;
}

/** A boolean operand. */
export function bool(args: Args, i: number): boolean {
  const value = any(args, i);
  if (typeof value !== "boolean") throw operandError(i, "boolean", typeName(value));
  return value;
}

/** An array operand. */
export function arr(args: Args, i: number): readonly RegoValue[] {
  const value = any(args, i);
  if (!isArray(value)) throw operandError(i, "array", typeName(value));
  return value;
}

/** A set operand. */
export function set(args: Args, i: number): RegoSet {
  const value = any(args, i);
  if (!(value instanceof RegoSet)) throw operandError(i, "set", typeName(value));
  return value;
}

/** An object operand. */
export function obj(args: Args, i: number): RegoObject {
  const value = any(args, i);
  if (!(value instanceof RegoObject)) throw operandError(i, "object", typeName(value));
  return value;
}

/** The elements of an array or set operand. */
export function items(args: Args, i: number, wanted = "one of {array, set}"): readonly RegoValue[] {
  const value = any(args, i);
  if (isArray(value)) return value;
  if (value instanceof RegoSet) return value.values();
  throw operandError(i, wanted, typeName(value));
}

/** The strings of an array or set operand. */
export function strings(args: Args, i: number, wanted = "one of {array, set}"): string[] {
  return items(args, i, wanted).map((item) => {
    if (typeof item === "string") return item;
    const kind = isArray(any(args, i)) ? "array" : "set";
    throw operandError(i, `${kind} of strings`, `${kind} containing ${typeName(item)}`);
  });
}

/** The error of a function that was given something it cannot work with. */
export function bad(message: string): BuiltinError {
  return new BuiltinError(message);
}

/** The result of code that may throw, undefined when it does. */
export function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError && /stack/.test(error.message)) throw error;
    return undefined;
  }
}

/** Counts the work of looking for one text in another, which grows with both. */
export function searching(c: Context, text: string, search: string): void {
  c.meter.tick(1 + (text.length * search.length) / 1024);
}
