import type { Context } from "../context.ts";
import {
  compareValues,
  equalValues,
  isArray,
  RegoObject,
  RegoSet,
  type RegoValue,
  sizeOf,
  typeName,
} from "../values.ts";
import { type Args, any, arr, type Builtin, type Family, fn, int, items, obj, old, operandError, set } from "./_kit.ts";
import { productOf, sumOf } from "./numbers.ts";

function count(args: Args): RegoValue {
  const value = any(args, 0);
  if (typeof value === "string") return codePoints(value);
  const size = sizeOf(value);
  if (size === undefined) throw operandError(0, "one of {array, object, set, string}", typeName(value));
  return size;
}

function codePoints(text: string): number {
  let n = 0;
  for (const _ of text) n++;
  return n;
}

function numbersOf(args: Args): (number | bigint)[] {
  return items(args, 0).map((item) => {
    if (typeof item === "number" || typeof item === "bigint") return item;
    const kind = typeName(any(args, 0));
    throw operandError(0, `${kind} of numbers`, `${kind} containing ${typeName(item)}`);
  });
}

function extreme(sign: number): (args: Args) => RegoValue | undefined {
  return (args) => {
    const [first, ...rest] = items(args, 0);
    return rest.reduce(
      (best, item) => (best !== undefined && compareValues(item, best) * sign > 0 ? item : best),
      first,
    );
  };
}

function slice(args: Args): RegoValue {
  const list = arr(args, 0);
  const start = Math.min(Math.max(int(args, 1), 0), list.length);
  const end = Math.min(Math.max(int(args, 2), start), list.length);
  return list.slice(start, end);
}

function flatten(args: Args): RegoValue {
  return arr(args, 0).flatMap((item): readonly RegoValue[] => (isArray(item) ? item : [item]));
}

function setsOf(args: Args): RegoSet[] {
  return set(args, 0)
    .values()
    .map((item) => {
      if (item instanceof RegoSet) return item;
      throw operandError(0, "set of sets", `set containing ${typeName(item)}`);
    });
}

function intersect(a: RegoSet, b: RegoSet): RegoSet {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  return RegoSet.of(small.values().filter((item) => large.has(item)));
}

function intersection(args: Args): RegoValue {
  const [first, ...rest] = setsOf(args);
  return first === undefined ? new RegoSet() : rest.reduce(intersect, first);
}

function memberOf(value: RegoValue, collection: RegoValue): boolean {
  if (collection instanceof RegoSet) return collection.has(value);
  if (isArray(collection)) return collection.some((item) => equalValues(item, value));
  return collection instanceof RegoObject && collection.entries().some(([, item]) => equalValues(item, value));
}

function memberAt(key: RegoValue, value: RegoValue, collection: RegoValue): boolean {
  if (collection instanceof RegoSet) return equalValues(key, value) && collection.has(value);
  if (isArray(collection)) {
    const item = typeof key === "number" ? collection[key] : undefined;
    return item !== undefined && equalValues(item, value);
  }
  if (!(collection instanceof RegoObject)) return false;
  const item = collection.get(key);
  return item !== undefined && equalValues(item, value);
}

function walkInto(c: Context, value: RegoValue, path: readonly RegoValue[], each: (v: RegoValue) => boolean): boolean {
  c.meter.tick();
  c.meter.make(32 + path.length * 8);
  if (each([path, value])) return true;
  if (isArray(value)) return value.some((item, i) => walkInto(c, item, [...path, i], each));
  if (value instanceof RegoSet) return value.values().some((item) => walkInto(c, item, [...path, item], each));
  if (!(value instanceof RegoObject)) return false;
  return value.entries().some(([key, item]) => walkInto(c, item, [...path, key], each));
}

const walk: Builtin = {
  arity: 1,
  code: () => undefined,
  relation: (c, args, each) => walkInto(c, any(args, 0), [], each),
};

function neighbours(graph: RegoObject, node: RegoValue): readonly RegoValue[] {
  const next = graph.get(node);
  if (next instanceof RegoSet) return next.values();
  return isArray(next) ? next : [];
}

function reachable(args: Args, c: Context): RegoValue {
  const graph = obj(args, 0);
  const queue = [...items(args, 1)];
  const out = new RegoSet();
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    c.meter.tick();
    if (graph.get(node) === undefined || out.has(node)) continue;
    out.add(node);
    queue.push(...neighbours(graph, node));
  }
  return out;
}

function reachablePaths(args: Args, c: Context): RegoValue {
  const graph = obj(args, 0);
  const out = new RegoSet();
  const follow = (node: RegoValue, path: readonly RegoValue[], seen: RegoSet): void => {
    c.meter.make(32 + path.length * 16);
    const here = [...path, node];
    const inside = RegoSet.of([...seen.values(), node]);
    const next = neighbours(graph, node).filter((each) => graph.get(each) !== undefined);
    const onward = next.filter((each) => !inside.has(each));
    if (next.length === 0 || onward.length < next.length) out.add(here);
    for (const each of onward) follow(each, here, inside);
  };
  for (const node of items(args, 1)) if (graph.get(node) !== undefined) follow(node, [], new RegoSet());
  return out;
}

/** Aggregates, arrays, sets, membership, graphs and walk. */
export const COLLECTIONS: Family = {
  count: fn(1, count),
  sum: fn(1, (a) => sumOf(numbersOf(a))),
  product: fn(1, (a) => productOf(numbersOf(a))),
  max: fn(1, extreme(1)),
  min: fn(1, extreme(-1)),
  sort: fn(1, (a) => [...items(a, 0)].sort(compareValues)),
  all: old(1, (a) => items(a, 0).every((item) => item === true)),
  any: old(1, (a) => items(a, 0).some((item) => item === true)),
  "array.concat": fn(2, (a) => [...arr(a, 0), ...arr(a, 1)]),
  "array.reverse": fn(1, (a) => arr(a, 0).toReversed()),
  "array.slice": fn(3, slice),
  "array.flatten": fn(1, flatten),
  and: fn(2, (a) => intersect(set(a, 0), set(a, 1))),
  or: fn(2, (a) => RegoSet.of([...set(a, 0).values(), ...set(a, 1).values()])),
  set_diff: old(2, (a) =>
    RegoSet.of(
      set(a, 0)
        .values()
        .filter((item) => !set(a, 1).has(item)),
    ),
  ),
  intersection: fn(1, intersection),
  union: fn(1, (a) => RegoSet.of(setsOf(a).flatMap((each) => each.values()))),
  "internal.member_2": fn(2, (a, c) => {
    c.meter.tick(1 + (sizeOf(any(a, 1)) ?? 0) / 16);
    return memberOf(any(a, 0), any(a, 1));
  }),
  "internal.member_3": fn(3, (a) => memberAt(any(a, 0), any(a, 1), any(a, 2))),
  "graph.reachable": fn(2, reachable),
  "graph.reachable_paths": fn(2, reachablePaths),
  walk,
};
