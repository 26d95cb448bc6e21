import { parseNumber } from "../_scalars.ts";
import { isArray, RegoObject, RegoSet, type RegoValue, typeName } from "../values.ts";
import { type Args, any, bad, type Family, fn, items, obj, old, operandError } from "./_kit.ts";

const NUMBER_TEXT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function toNumber(args: Args): RegoValue {
  const value = any(args, 0);
  if (value === null) return 0;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value !== "string") throw operandError(0, "one of {null, boolean, number, string}", typeName(value));
  if (/^[+-]?(?:inf|infinity|nan)$/i.test(value)) throw operandError(0, "valid number string", "string");
  if (!NUMBER_TEXT.test(value)) throw bad(`invalid syntax: ${JSON.stringify(value.slice(0, 100))}`);
  const number = parseNumber(value.replace(/^\+/, "").replace(/^(-?)\./, "$10."));
  if (number === undefined) throw bad("number out of range");
  return number;
}

function is(test: (value: RegoValue) => boolean): (args: Args) => RegoValue {
  return (args) => test(any(args, 0));
}

function cast(name: string): (args: Args) => RegoValue {
  return (args) => {
    const value = any(args, 0);
    if (typeName(value) !== name) throw operandError(0, name, typeName(value));
    return value;
  };
}

/** Type names, tests and conversions. */
export const TYPES: Family = {
  to_number: fn(1, toNumber),
  type_name: fn(1, (a) => typeName(any(a, 0))),
  is_null: fn(
    1,
    is((v) => v === null),
  ),
  is_boolean: fn(
    1,
    is((v) => typeof v === "boolean"),
  ),
  is_number: fn(
    1,
    is((v) => typeof v === "number" || typeof v === "bigint"),
  ),
  is_string: fn(
    1,
    is((v) => typeof v === "string"),
  ),
  is_array: fn(1, is(isArray)),
  is_set: fn(
    1,
    is((v) => v instanceof RegoSet),
  ),
  is_object: fn(
    1,
    is((v) => v instanceof RegoObject),
  ),
  cast_array: old(1, (a) => [...items(a, 0)]),
  cast_set: old(1, (a) => RegoSet.of(items(a, 0))),
  cast_string: old(1, cast("string")),
  cast_boolean: old(1, cast("boolean")),
  cast_null: old(1, cast("null")),
  cast_object: old(1, (a) => obj(a, 0)),
};
