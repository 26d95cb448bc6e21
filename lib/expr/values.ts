import type { JsonObject } from "../std/mod.ts";

/** A moment with the time zone in which its parts are counted. */
export class ExprMoment {
  readonly time: Temporal.ZonedDateTime;

  /** @param time The moment, exact to the nanosecond. */
  constructor(time: Temporal.ZonedDateTime) {
    this.time = time;
  }
}

/** A length of time. */
export class ExprDuration {
  /** Whole nanoseconds, negative for back in time. */
  readonly ns: bigint;

  /** @param ns Whole nanoseconds. */
  constructor(ns: bigint) {
    this.ns = BigInt.asIntN(64, ns);
  }
}

/** A month or a weekday: a whole number with a name. */
export class ExprEnum {
  readonly type: "time.Month" | "time.Weekday";
  readonly value: bigint;
  readonly text: string;

  /** @param text The English name. */
  constructor(type: "time.Month" | "time.Weekday", value: bigint, text: string) {
    this.type = type;
    this.value = value;
    this.text = text;
  }
}

/** A time zone. */
export class ExprZone {
  /** As the IANA data base names it. */
  readonly name: string;

  /** @param name A name of the IANA data base. */
  constructor(name: string) {
    this.name = name;
  }
}

/** A map of an expression: an object, or what groupBy and fromPairs make, whose keys can be of any kind. */
export type ExprMap = JsonObject | ReadonlyMap<unknown, unknown>;

/** Whether a value is a map: a plain object or a Map, but no list and no instance of a class. */
export function isMap(value: unknown): value is ExprMap {
  if (value instanceof Map) return true;
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What a map holds under a key; undefined when there is no such key. */
export function mapGet(map: ExprMap, key: unknown): unknown {
  if (map instanceof Map) return map.get(mapKey(key));
  return typeof key === "string" && Object.hasOwn(map, key) ? (map as JsonObject)[key] : undefined;
}

/** Whether a map has a key. */
export function mapHas(map: ExprMap, key: unknown): boolean {
  return map instanceof Map ? map.has(mapKey(key)) : typeof key === "string" && Object.hasOwn(map, key);
}

/** Keys and values of a map, in the order they came. */
export function mapEntries(map: ExprMap): [unknown, unknown][] {
  return map instanceof Map ? [...map] : Object.entries(map);
}

/** How many entries a map has. */
export function mapSize(map: ExprMap): number {
  return map instanceof Map ? map.size : Object.keys(map).length;
}

/** Things of time are equal when they say the same, which a Map does not see. */
export function mapKey(key: unknown): unknown {
  if (key instanceof ExprDuration) return `duration ${key.ns}`;
  if (key instanceof ExprEnum) return `${key.type} ${key.value}`;
  return key instanceof ExprMoment ? `time ${key.time.epochNanoseconds}` : key;
}
