import { slice } from "./_access.ts";
import type { Builtin, Builtins } from "./_builtin.ts";
import { typeName } from "./_kinds.ts";
import { equal, order, toInteger, toList } from "./_operators.ts";
import type { Run } from "./_run.ts";
import { isMap, mapEntries, mapGet, mapKey, mapSize } from "./values.ts";

/** Functions that work on lists and maps. */
export const listFunctions: Builtins = {
  len: { parameters: ["any"], accepts: ["array", "map", "string", "bytes"], returns: "int", call: len },
  first: {
    parameters: ["any"],
    accepts: ["array"],
    returns: "any",
    call: (_run, [list]) => (Array.isArray(list) ? (list[0] ?? null) : null),
  },
  last: {
    parameters: ["any"],
    accepts: ["array"],
    returns: "any",
    call: (_run, [list]) => (Array.isArray(list) ? (list.at(-1) ?? null) : null),
  },
  get: { parameters: ["any", "any"], accepts: ["array", "map"], returns: "any", call: get },
  take: { parameters: ["any", "any"], accepts: ["array"], returns: "array", call: take },
  reverse: ofList("reverse", (_run, list) => list.toReversed()),
  flatten: ofList("flatten", flatten),
  uniq: ofList("uniq", uniq),
  concat: { parameters: ["any"], accepts: ["array"], isVariadic: true, returns: "array", call: concat },
  sort: { parameters: ["any", "string"], accepts: ["array"], required: 1, returns: "array", call: sort },
  keys: ofMap("cannot get keys from", (map) => map.map(([key]) => key)),
  values: ofMap("cannot get values from", (map) => map.map(([, value]) => value ?? null)),
  toPairs: ofMap("cannot transform", (map) => map, " to pairs"),
  fromPairs: { parameters: ["array"], returns: "map", call: fromPairs },
};

function len(run: Run, [value]: readonly unknown[]): bigint {
  if (Array.isArray(value) || value instanceof Uint8Array) return BigInt(value.length);
  if (isMap(value)) return BigInt(mapSize(value));
  if (typeof value !== "string") throw run.error(`invalid argument for len (type ${typeName(value)})`);
  run.spend(value.length >> 4);
  return BigInt([...value].length);
}

function get(run: Run, [whole, key]: readonly unknown[]): unknown {
  if (isMap(whole)) return mapGet(whole, key) ?? null;
  if (!Array.isArray(whole) || key === null) return null;
  const at = Number(toInteger(run, key));
  return (whole.at(at) as unknown) ?? null;
}

function take(run: Run, [list, count]: readonly unknown[]): unknown {
  if (typeof count !== "bigint") throw run.error(`cannot take ${typeName(count)} elements`);
  if (count < 0n) throw run.error("cannot take a negative number of elements");
  return slice(run, toList(run, list, "cannot take from"), 0n, count);
}

function ofList(name: string, work: (run: Run, list: readonly unknown[]) => unknown[]): Builtin {
  const call = (run: Run, [value]: readonly unknown[]) => run.list(work(run, toList(run, value, `cannot ${name}`)));
  return { parameters: ["any"], accepts: ["array"], returns: "array", call };
}

function flatten(run: Run, list: readonly unknown[]): unknown[] {
  return run.deeper(() => {
    run.allot(list.length);
    return list.flatMap((item) => (Array.isArray(item) ? flatten(run, item as unknown[]) : [item]));
  });
}

/** Simple values are told apart by a set; only others need to be compared with each other. */
function uniq(run: Run, list: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>();
  const complex: unknown[] = [];
  return list.filter((item) => {
    run.spend(1);
    if (typeof item === "object" && item !== null) {
      if (complex.some((other) => equal(run, other, item))) return false;
      complex.push(item);
      return true;
    }
    const key = typeof item === "number" && Number.isSafeInteger(item) ? BigInt(item) : item;
    return seen.size !== seen.add(key).size;
  });
}

function concat(run: Run, given: readonly unknown[]): unknown[] {
  const all: unknown[] = [];
  for (const value of given) {
    const list = toList(run, value, "cannot concat");
    run.allot(list.length);
    for (const item of list) all.push(item);
  }
  return all;
}

function sort(run: Run, [value, direction]: readonly unknown[]): unknown[] {
  if (!Array.isArray(value)) return [];
  const isDescending = readOrder(run, direction, (text) => `invalid order ${text}, expected asc or desc`);
  return sortBy(run, { list: value, keys: value, isDescending });
}

/** Whether an order is the descending one. */
export function readOrder(run: Run, order: unknown, message: (text: string) => string): boolean {
  if (order === undefined || order === "asc") return false;
  if (order === "desc") return true;
  throw run.error(message(String(order).slice(0, 80)));
}

/** A list in the order of the keys that belong to its elements. */
export function sortBy(
  run: Run,
  work: { list: readonly unknown[]; keys: readonly unknown[]; isDescending: boolean },
): unknown[] {
  const { list, keys, isDescending } = work;
  run.allot(list.length);
  const sign = isDescending ? -1 : 1;
  const places = list.map((_, i) => i);
  places.sort((a, b) => {
    run.spend(1);
    return sign * order(run, "<", keys[a], keys[b]) || 0;
  });
  return places.map((place) => list[place]);
}

function ofMap(name: string, work: (entries: [unknown, unknown][]) => unknown[], tail = ""): Builtin {
  const call = (run: Run, [value]: readonly unknown[]) => {
    if (!isMap(value)) throw run.error(`${name} ${typeName(value)}${tail}`);
    run.allot(mapSize(value));
    return work(mapEntries(value));
  };
  return { parameters: ["any"], accepts: ["map"], returns: "array", call };
}

function fromPairs(run: Run, [value]: readonly unknown[]): ReadonlyMap<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (const pair of run.list([...toList(run, value, "cannot make a map of")])) {
    if (!Array.isArray(pair) || pair.length !== 2) throw run.error(`invalid pair of type ${typeName(pair)}`);
    map.set(mapKey(pair[0]), pair[1]);
  }
  return map;
}
