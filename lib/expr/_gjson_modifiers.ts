import { isObject, type JsonObject } from "../std/mod.ts";

/** What a modifier works with. */
export interface ModifierContext {
  /** The argument after the colon, undefined when there is none. */
  argument: string | undefined;
  /** Account for looking at so many values; throws when a path asks for too much. */
  spend: (values: number) => void;
}

/** Takes the value so far and gives another; undefined for none. */
export type Modifier = (value: unknown, context: ModifierContext) => unknown;

/** The modifiers that a path may name after an `@`. Those that only lay out text differently change nothing here. */
export const modifiers: Readonly<Record<string, Modifier>> = {
  this: (value) => value,
  valid: (value) => value,
  pretty: (value) => value,
  ugly: (value) => value,
  keys: (value) => (isObject(value) ? Object.keys(value) : value === undefined ? [] : [value].flat().map(() => null)),
  values: (value) => (isObject(value) ? Object.values(value) : value === undefined ? [] : [value].flat()),
  reverse,
  flatten: (value, context) =>
    Array.isArray(value) ? flatten(value, flag(context.argument, "deep"), context.spend) : value,
  join,
  group,
  tostr: (value, { spend }) => {
    spend(size(value, spend));
    return stringify(value);
  },
  fromstr: (value) => {
    try {
      return JSON.parse(String(value)) as unknown;
    } catch {
      return undefined;
    }
  },
  dig: (value, { argument = "", spend }) => {
    const found: unknown[] = [];
    dig(value, argument, found, spend);
    return found;
  },
};

function reverse(value: unknown): unknown {
  if (Array.isArray(value)) return value.toReversed();
  return isObject(value) ? Object.fromEntries(Object.entries(value).reverse()) : value;
}

function flatten(list: unknown[], deep: boolean, spend: (values: number) => void): unknown[] {
  return list.flatMap((item) => {
    spend(1);
    if (!Array.isArray(item)) return [item];
    return deep ? flatten(item, true, spend) : item;
  });
}

/** Several objects as one; the last of a key wins unless all are to be preserved, which values cannot express. */
function join(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const joined: JsonObject = {};
  for (const item of value) if (isObject(item)) for (const key of Object.keys(item)) define(joined, key, item[key]);
  return joined;
}

/** An object of lists as a list of objects. */
function group(value: unknown): unknown {
  if (!isObject(value)) return undefined;
  const rows: JsonObject[] = [];
  for (const [key, column] of Object.entries(value)) {
    if (!Array.isArray(column)) continue;
    for (const [at, item] of column.entries()) {
      const row = rows[at] ?? {};
      rows[at] = row;
      define(row, key, item);
    }
  }
  return rows;
}

function dig(value: unknown, key: string, found: unknown[], spend: (values: number) => void): void {
  spend(1);
  if (Array.isArray(value)) for (const item of value) dig(item, key, found, spend);
  if (!isObject(value)) return;
  if (Object.hasOwn(value, key)) found.push(value[key]);
  for (const item of Object.values(value)) dig(item, key, found, spend);
}

function flag(argument: string | undefined, name: string): boolean {
  try {
    const options: unknown = JSON.parse(argument ?? "{}");
    return isObject(options) && options[name] === true;
  } catch {
    return false;
  }
}

function size(value: unknown, spend: (values: number) => void): number {
  spend(1);
  if (typeof value === "object" && value !== null) for (const item of Object.values(value)) size(item, spend);
  return 0;
}

function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? Number(item) : item));
}

/** Assignment would call the setter of `__proto__`. */
function define(target: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
