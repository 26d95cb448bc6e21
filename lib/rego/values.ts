import { charge } from "./_ambient.ts";
import { compareStrings, normalizeInteger } from "./_scalars.ts";
import { NOWHERE, RegoError } from "./errors.ts";

/** A value without parts. Integers beyond 2^53 are bigint, all other numbers are number. */
export type RegoScalar = null | boolean | number | bigint | string;

/** Any value the language knows: JSON plus sets, exact big integers and objects with keys of any type. */
export type RegoValue = RegoScalar | readonly RegoValue[] | RegoObject | RegoSet;

/** Key under which a value is found in a map: scalars as they are, composites by a marked encoding. */
export type RegoKey = null | boolean | number | bigint | string;

const MARK = "\u0000";

/** The map key of a value; two values are equal exactly when their keys are. */
export function keyOf(value: RegoValue): RegoKey {
  if (typeof value === "string") return value.charCodeAt(0) === 0 ? `${MARK}s${value}` : value;
  if (typeof value !== "object" || value === null) return value;
  return MARK + encodeKey(value);
}

function encodeKey(value: RegoValue): string {
  if (value instanceof RegoObject || value instanceof RegoSet) return value.encoded();
  if (isArray(value)) {
    charge(value.length);
    return `[${value.map(encodeKey).join(",")}]`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  return String(value);
}

/** An object: keys of any type to values. Mutable only while it is being built. */
export class RegoObject {
  readonly #map = new Map<RegoKey, RegoValue>();
  #composite: Map<RegoKey, RegoValue> | undefined;
  #pending: Readonly<Record<string, unknown>> | undefined;
  #sorted: readonly RegoValue[] | undefined;
  #encoded: string | undefined;

  /** An object whose fields are converted from plain JavaScript when they are first looked at. */
  static lazy(source: Readonly<Record<string, unknown>>): RegoObject {
    const object = new RegoObject();
    object.#pending = source;
    return object;
  }

  /** An object with these entries, in order; a later key replaces an earlier one. */
  static of(entries: Iterable<readonly [RegoValue, RegoValue]>): RegoObject {
    const object = new RegoObject();
    for (const [key, value] of entries) object.set(key, value);
    return object;
  }

  #load(): void {
    const source = this.#pending;
    if (source === undefined) return;
    this.#pending = undefined;
    for (const name of Object.keys(source)) {
      const item = source[name];
      if (item !== undefined) this.set(name, toRego(item));
    }
  }

  /** Number of entries. */
  get size(): number {
    if (this.#pending !== undefined) this.#load();
    return this.#map.size;
  }

  /** The value under a key, undefined when there is none. */
  get(key: RegoValue): RegoValue | undefined {
    if (this.#pending !== undefined) this.#load();
    return this.#map.get(keyOf(key));
  }

  /** Adds or replaces an entry; only for an object that nobody else holds yet. */
  set(key: RegoValue, value: RegoValue): void {
    if (this.#pending !== undefined) this.#load();
    const k = keyOf(key);
    if (typeof k === "string" && k.charCodeAt(0) === 0) {
      this.#composite ??= new Map();
      this.#composite.set(k, key);
    }
    this.#map.set(k, value);
    this.#sorted = undefined;
    this.#encoded = undefined;
  }

  /** Keys in the order of the language. */
  keys(): readonly RegoValue[] {
    if (this.#sorted === undefined) {
      if (this.#pending !== undefined) this.#load();
      const out: RegoValue[] = [];
      for (const k of this.#map.keys()) out.push(this.#composite?.get(k) ?? k);
      this.#sorted = out.sort(compareValues);
    }
    return this.#sorted;
  }

  /** Entries in the order of their keys. */
  entries(): [RegoValue, RegoValue][] {
    const out: [RegoValue, RegoValue][] = [];
    for (const key of this.keys()) out.push([key, this.get(key) ?? null]);
    return out;
  }

  /** A copy with one more or another entry. */
  with(key: RegoValue, value: RegoValue): RegoObject {
    const copy = RegoObject.of(this.entries());
    copy.set(key, value);
    return copy;
  }

  /** Text that is equal for equal objects. */
  encoded(): string {
    this.#encoded ??= `{${this.entries()
      .map(([k, v]) => `${encodeKey(k)}:${encodeKey(v)}`)
      .join(",")}}`;
    return this.#encoded;
  }
}

/** A set of distinct values. Mutable only while it is being built. */
export class RegoSet {
  readonly #map = new Map<RegoKey, RegoValue>();
  #sorted: readonly RegoValue[] | undefined;
  #encoded: string | undefined;

  /** A set of these values. */
  static of(values: Iterable<RegoValue>): RegoSet {
    const set = new RegoSet();
    for (const value of values) set.add(value);
    return set;
  }

  /** Number of elements. */
  get size(): number {
    return this.#map.size;
  }

  /** Whether the set holds an equal value. */
  has(value: RegoValue): boolean {
    return this.#map.has(keyOf(value));
  }

  /** Adds a value; only for a set that nobody else holds yet. */
  add(value: RegoValue): void {
    this.#map.set(keyOf(value), value);
    this.#sorted = undefined;
    this.#encoded = undefined;
  }

  /** Elements in the order of the language. */
  values(): readonly RegoValue[] {
    this.#sorted ??= [...this.#map.values()].sort(compareValues);
    return this.#sorted;
  }

  /** Text that is equal for equal sets. */
  encoded(): string {
    this.#encoded ??= `<${this.values().map(encodeKey).join(",")}>`;
    return this.#encoded;
  }
}

/** Whether a value is an array (narrows read-only arrays, which Array.isArray does not). */
export function isArray(value: RegoValue | undefined): value is readonly RegoValue[] {
  return Array.isArray(value);
}

function rank(value: RegoValue): number {
  if (value === null) return 0;
  switch (typeof value) {
    case "boolean":
      return 1;
    case "number":
    case "bigint":
      return 2;
    case "string":
      return 3;
    default:
      if (value instanceof RegoObject) return 5;
      return value instanceof RegoSet ? 6 : 4;
  }
}

function compareLists(a: readonly RegoValue[], b: readonly RegoValue[]): number {
  const shared = Math.min(a.length, b.length);
  charge(shared);
  for (let i = 0; i < shared; i++) {
    const order = compareValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(a: RegoObject, b: RegoObject): number {
  const left = a.entries();
  const right = b.entries();
  for (let i = 0; i < left.length && i < right.length; i++) {
    const order = compareLists(left[i] ?? [], right[i] ?? []);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Total order of values: null, booleans, numbers, strings, arrays, objects, sets. */
export function compareValues(a: RegoValue, b: RegoValue): number {
  if (a === b) return 0;
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  const order = rank(a) - rank(b);
  if (order !== 0) return order;
  if (isArray(a) && isArray(b)) return compareLists(a, b);
  if (a instanceof RegoObject && b instanceof RegoObject) return compareObjects(a, b);
  if (a instanceof RegoSet && b instanceof RegoSet) return compareLists(a.values(), b.values());
  if (a === null || b === null) return 0;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether two values are the same value. */
export function equalValues(a: RegoValue, b: RegoValue): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isArray(a)) return isArray(b) && a.length === b.length && compareLists(a, b) === 0;
  if (a instanceof RegoSet) return b instanceof RegoSet && a.size === b.size && compareValues(a, b) === 0;
  return a instanceof RegoObject && b instanceof RegoObject && a.size === b.size && compareObjects(a, b) === 0;
}

/** Name of a value's type as policies and error texts know it. */
export function typeName(value: RegoValue): string {
  return ["null", "boolean", "number", "string", "array", "object", "set"][rank(value)] ?? "unknown";
}

/** The part of a collection under a key: array index, object key or set member. */
export function lookup(value: RegoValue, key: RegoValue): RegoValue | undefined {
  if (value instanceof RegoObject) return value.get(key);
  if (isArray(value)) return typeof key === "number" ? value[key] : undefined;
  if (value instanceof RegoSet) return value.has(key) ? key : undefined;
  return undefined;
}

/** Length of a collection, undefined for scalars. */
export function sizeOf(value: RegoValue): number | undefined {
  if (isArray(value)) return value.length;
  return value instanceof RegoObject || value instanceof RegoSet ? value.size : undefined;
}

/**
 * A language value from plain JavaScript: JSON data, bigint, Set, Map and values that are already of the language.
 *
 * @throws RegoError on functions, symbols and numbers that are not finite.
 */
export function toRego(source: unknown): RegoValue {
  switch (typeof source) {
    case "string":
    case "boolean":
      return source;
    case "number":
      if (Number.isFinite(source)) return source === 0 ? 0 : source;
      break;
    case "bigint":
      return normalizeInteger(source);
    case "object":
      return objectToRego(source);
  }
  const what = typeof source === "number" ? String(source) : `a ${typeof source}`;
  throw RegoError.at("eval_type_error", `cannot use ${what} as a policy value, want JSON data`, NOWHERE);
}

function objectToRego(source: object | null): RegoValue {
  if (source === null || source instanceof RegoObject || source instanceof RegoSet) return source;
  if (Array.isArray(source)) return source.map((item: unknown) => (item === undefined ? null : toRego(item)));
  if (source instanceof Set) return RegoSet.of([...source].map(toRego));
  if (source instanceof Map) return RegoObject.of([...source].map(([k, v]) => [toRego(k), toRego(v)] as const));
  if (source instanceof Date) return source.toISOString();
  return RegoObject.lazy(source as Readonly<Record<string, unknown>>);
}
