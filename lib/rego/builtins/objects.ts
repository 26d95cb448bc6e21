import { charge } from "../_ambient.ts";
import { BuiltinError } from "../errors.ts";
import { equalValues, isArray, lookup, RegoObject, RegoSet, type RegoValue, typeName } from "../values.ts";
import { type Args, any, type Family, fn, items, obj, operandError } from "./_kit.ts";

const KEYS_WANTED = "one of {object, set, array}";

function keysOf(args: Args, i: number): readonly RegoValue[] {
  const value = any(args, i);
  return value instanceof RegoObject ? value.keys() : items(args, i, KEYS_WANTED);
}

function get(args: Args): RegoValue {
  const object = obj(args, 0);
  const path = any(args, 1);
  let value: RegoValue | undefined = object;
  for (const key of isArray(path) ? path : [path]) value = value === undefined ? undefined : lookup(value, key);
  return value === undefined ? any(args, 2) : value;
}

function remove(args: Args): RegoValue {
  const drop = RegoSet.of(keysOf(args, 1));
  return RegoObject.of(
    obj(args, 0)
      .entries()
      .filter(([key]) => !drop.has(key)),
  );
}

function filter(args: Args): RegoValue {
  const keep = RegoSet.of(keysOf(args, 1));
  return RegoObject.of(
    obj(args, 0)
      .entries()
      .filter(([key]) => keep.has(key)),
  );
}

/** Two objects as one; on conflict the second wins unless both are objects. */
export function unionOf(a: RegoObject, b: RegoObject): RegoObject {
  charge(a.size + b.size);
  const out = RegoObject.of(a.entries());
  for (const [key, value] of b.entries()) {
    const before = out.get(key);
    out.set(key, before instanceof RegoObject && value instanceof RegoObject ? unionOf(before, value) : value);
  }
  return out;
}

function unionAll(args: Args): RegoValue {
  return items(args, 0, "array").reduce<RegoObject>((out, item) => {
    if (!(item instanceof RegoObject)) throw operandError(0, "array of objects", `array containing ${typeName(item)}`);
    return unionOf(out, item);
  }, new RegoObject());
}

function objectHolds(whole: RegoObject, part: RegoObject): boolean {
  return part.entries().every(([key, value]) => {
    const other = whole.get(key);
    return other !== undefined && partHolds(other, value);
  });
}

function partHolds(whole: RegoValue, part: RegoValue): boolean {
  if (whole instanceof RegoObject && part instanceof RegoObject) return objectHolds(whole, part);
  if (whole instanceof RegoSet && part instanceof RegoSet) return part.values().every((item) => whole.has(item));
  if (isArray(whole) && isArray(part)) return listHolds(whole, part);
  return equalValues(whole, part);
}

function listHolds(whole: readonly RegoValue[], part: readonly RegoValue[]): boolean {
  charge((whole.length * part.length) / 16);
  for (let start = 0; start + part.length <= whole.length; start++) {
    if (part.every((item, i) => equalValues(item, whole[start + i] ?? null))) return true;
  }
  return false;
}

function subset(args: Args): RegoValue {
  const [whole, part] = [any(args, 0), any(args, 1)];
  if (isArray(whole) && part instanceof RegoSet) {
    const members = RegoSet.of(whole);
    return part.values().every((item) => members.has(item));
  }
  if (typeName(whole) !== typeName(part) || typeof whole !== "object" || whole === null) {
    throw new BuiltinError("both arguments object.subset must be of the same type or array and set", "eval_type_error");
  }
  return partHolds(whole, part);
}

/** Objects. */
export const OBJECTS: Family = {
  "object.get": fn(3, get),
  "object.keys": fn(1, (a) => RegoSet.of(obj(a, 0).keys())),
  "object.remove": fn(2, remove),
  "object.filter": fn(2, filter),
  "object.union": fn(2, (a) => unionOf(obj(a, 0), obj(a, 1))),
  "object.union_n": fn(1, unionAll),
  "object.subset": fn(2, subset),
};
