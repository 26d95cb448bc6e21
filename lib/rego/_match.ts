import type { Frame } from "./context.ts";
import type { Simple } from "./ir.ts";
import { isBound } from "./safety.ts";
import { equalValues, isArray, RegoObject, RegoSet, type RegoValue } from "./values.ts";

/** Makes the value of a term whose variables have values. */
export type Getter = (f: Frame) => RegoValue;

/** Tests a value against a pattern, giving the pattern's free variables their values. */
export type Matcher = (f: Frame, value: RegoValue) => boolean;

/** Links a term that has a value. */
export function linkTerm(term: Simple): Getter {
  switch (term.k) {
    case "const": {
      const { value } = term;
      return () => value;
    }
    case "var": {
      const { id } = term;
      return (f) => f.s[id] ?? null;
    }
    case "array": {
      const items = term.items.map(linkTerm);
      return (f) => {
        f.c.meter.make(16 + items.length * 8);
        return items.map((item) => item(f));
      };
    }
    case "set": {
      const items = term.items.map(linkTerm);
      return (f) => {
        f.c.meter.make(32 + items.length * 32);
        return RegoSet.of(items.map((item) => item(f)));
      };
    }
    case "object": {
      const pairs = term.pairs.map(([key, value]) => [linkTerm(key), linkTerm(value)] as const);
      return (f) => {
        f.c.meter.make(32 + pairs.length * 48);
        return RegoObject.of(pairs.map(([key, value]) => [key(f), value(f)] as const));
      };
    }
  }
}

/** Links a pattern; the variables it binds are added to `bound`. */
export function linkMatch(term: Simple, bound: Set<number>): Matcher {
  if (term.k === "const") {
    const { value } = term;
    if (typeof value !== "object" || value === null) return (_, other) => other === value;
    return (_, other) => equalValues(value, other);
  }
  if (term.k === "var" && !bound.has(term.id)) {
    const { id } = term;
    bound.add(id);
    return (f, value) => {
      f.s[id] = value;
      return true;
    };
  }
  if (isBound(term, bound)) {
    const get = linkTerm(term);
    return (f, value) => equalValues(get(f), value);
  }
  if (term.k === "array") return linkArray(term.items, bound);
  if (term.k === "object") return linkObject(term.pairs, bound);
  return () => false;
}

function linkArray(items: readonly Simple[], bound: Set<number>): Matcher {
  const matchers = items.map((item) => linkMatch(item, bound));
  return (f, value) => {
    if (!isArray(value) || value.length !== matchers.length) return false;
    for (let i = 0; i < matchers.length; i++) {
      const item = value[i];
      if (item === undefined || matchers[i]?.(f, item) !== true) return false;
    }
    return true;
  };
}

function linkObject(pairs: readonly (readonly [Simple, Simple])[], bound: Set<number>): Matcher {
  const matchers = pairs.map(([key, value]) => [linkTerm(key), linkMatch(value, bound)] as const);
  return (f, value) => {
    if (!(value instanceof RegoObject) || value.size !== matchers.length) return false;
    return matchers.every(([key, match]) => {
      const item = value.get(key(f));
      return item !== undefined && match(f, item);
    });
  };
}
