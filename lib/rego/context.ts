import type { Re2 } from "../re2/mod.ts";
import type { RegoFunction } from "./functions.ts";
import type { Meter } from "./limits.ts";
import { keyOf, lookup, type RegoKey, RegoObject, type RegoScalar, type RegoValue } from "./values.ts";

/** Stands in a cache for a document that has no value. */
export const NOTHING = Symbol("undefined document");

/** Stands in a cache for a document that is being made. */
export const BUSY = Symbol("document in the making");

/** A cached document. */
export type Cached = RegoValue | typeof NOTHING | typeof BUSY | undefined;

/** What a call does in place of what the policy says. */
export type Mock =
  | { readonly value: RegoValue }
  | { readonly call: (c: Context, args: readonly RegoValue[]) => RegoValue | undefined };

/** Paths of data that `with` has replaced, so that rules below them do not count. */
export interface Shadow {
  readonly whole: boolean;
  readonly children: ReadonlyMap<RegoKey, Shadow>;
}

/** The part of a context that `with` swaps for the time of an expression. */
export interface ContextState {
  input: RegoValue | undefined;
  data: RegoValue;
  cache: Cached[];
  /** Results of functions for arguments without parts, by {@link callKey}. */
  calls: Map<string, Cached>;
  shadow: Shadow | undefined;
  mocks: ReadonlyMap<string, Mock> | undefined;
}

/** Everything one evaluation knows. */
export interface Context extends ContextState {
  /** States outside of the `with` expressions that are being evaluated. */
  readonly saved: ContextState[];
  readonly meter: Meter;
  readonly strict: boolean;
  readonly now: () => number;
  readonly functions: ReadonlyMap<string, RegoFunction>;
  /** Results that must not change within one evaluation: the time, random numbers, compiled patterns. */
  readonly memo: Map<string, unknown>;
  /** What is costly to make and never changes, kept with the policy. */
  readonly shared: SharedParts;
  readonly tracer: Tracer | undefined;
}

/** Parts that evaluations of one policy share. */
export interface SharedParts {
  readonly patterns: Map<string, Re2>;
  readonly zones: Map<string, unknown>;
}

/** Is told how far the branches of rules get. */
export interface Tracer {
  reached(branch: number, literal: number): void;
  decided(branch: number, holds: boolean): void;
}

/** The state of a context as it is now. */
export function saveState({ input, data, cache, calls, shadow, mocks }: Context): ContextState {
  return { input, data, cache, calls, shadow, mocks };
}

/** Puts a context back into a state. */
export function restoreState(c: Context, state: ContextState): void {
  c.input = state.input;
  c.data = state.data;
  c.cache = state.cache;
  c.calls = state.calls;
  c.shadow = state.shadow;
  c.mocks = state.mocks;
}

const LONGEST_KEY = 200;

/** Where the result of a call is remembered; undefined for arguments that are not worth it. */
export function callKey(group: number, args: readonly RegoValue[]): string | undefined {
  let key = `${group}`;
  for (const arg of args) {
    if (typeof arg === "object" && arg !== null) return undefined;
    const text = String(arg);
    if (text.length > LONGEST_KEY) return undefined;
    key += typeof arg === "string" ? ` "${text.length} ${text}` : ` ${text}`;
  }
  return key;
}

/** Variables of one run of a branch. */
export class Frame {
  readonly c: Context;
  readonly s: RegoValue[];
  /** The result, or the collection that results are added to. */
  out: RegoValue | undefined = undefined;
  /** Whether a solution was found for a collection. */
  held = false;
  /** Hears of the solutions of a query; true ends the search. */
  sink: ((f: Frame) => boolean) | undefined = undefined;

  constructor(c: Context, slots: RegoValue[]) {
    this.c = c;
    this.s = slots;
  }
}

/** A document with a value put at a path; whatever is in the way gives way. */
export function putAt(base: RegoValue | undefined, path: readonly RegoScalar[], value: RegoValue, from = 0): RegoValue {
  const key = path[from];
  if (key === undefined || from >= path.length) return value;
  const inner = base === undefined ? undefined : lookup(base, key);
  const put = putAt(inner, path, value, from + 1);
  return base instanceof RegoObject ? base.with(key, put) : RegoObject.of([[key, put]]);
}

const NO_SHADOW: Shadow = { whole: false, children: new Map() };

/** A shadow that also covers a path. */
export function shadowAt(shadow: Shadow = NO_SHADOW, path: readonly RegoScalar[], from = 0): Shadow {
  const key = path[from];
  if (key === undefined || from >= path.length) return { whole: true, children: new Map() };
  const children = new Map(shadow.children);
  const k = keyOf(key);
  children.set(k, shadowAt(children.get(k), path, from + 1));
  return { whole: shadow.whole, children };
}

/** Whether rules at a path are covered by a shadow. */
export function isShadowed(shadow: Shadow, keys: readonly RegoScalar[]): boolean {
  let node: Shadow | undefined = shadow;
  for (const key of keys) {
    if (node === undefined || node.whole) break;
    node = node.children.get(keyOf(key));
  }
  return node?.whole === true;
}
