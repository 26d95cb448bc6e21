import type { CompiledPredicate, Step } from "./_compiled.ts";
import type { Kind } from "./_kinds.ts";
import { typeName } from "./_kinds.ts";
import { readOrder, sortBy } from "./_list_functions.ts";
import { sum } from "./_number_functions.ts";
import { toBoolean } from "./_operators.ts";
import type { Run } from "./_run.ts";
import { isMap, mapKey } from "./values.ts";

/** A function that applies a predicate to the elements of a list. */
export interface PredicateFunction {
  readonly returns: Kind;
  /** Whether the predicate has to answer yes or no. */
  readonly isTest: boolean;
  readonly call: (context: PredicateCall) => unknown;
}

/** One call of such a function. */
export interface PredicateCall {
  readonly run: Run;
  readonly list: readonly unknown[];
  /** The predicate's value for an element. */
  readonly apply: (index: number) => unknown;
  /** Third argument, undefined where there is none. */
  readonly extra: unknown;
  /** Where a predicate finds the accumulator. */
  readonly accumulator: number;
}

const test = (call: PredicateCall, index: number) => toBoolean(call.run, call.apply(index));

/** The first or last index whose element passes; -1 when none does. */
function search(call: PredicateCall, fromEnd: boolean): number {
  const { length } = call.list;
  for (let i = 0; i < length; i++) {
    const index = fromEnd ? length - 1 - i : i;
    if (test(call, index)) return index;
  }
  return -1;
}

/** How many pass; no more than `most` are counted. */
function count(call: PredicateCall, most = Number.POSITIVE_INFINITY): number {
  let found = 0;
  for (let i = 0; i < call.list.length && found < most; i++) if (test(call, i)) found++;
  return found;
}

const finding = (fromEnd: boolean, give: (call: PredicateCall, index: number) => unknown): PredicateFunction => ({
  returns: "any",
  isTest: true,
  call: (call) => {
    const index = search(call, fromEnd);
    return index < 0 ? null : give(call, index);
  },
});
const element = ({ list }: PredicateCall, index: number) => list[index] ?? null;
const place = (_call: PredicateCall, index: number) => BigInt(index);

/** All functions that take a predicate, by name. */
export const predicateCalls: Readonly<Record<string, PredicateFunction>> = {
  all: { returns: "bool", isTest: true, call: (call) => call.list.every((_, i) => test(call, i)) },
  any: { returns: "bool", isTest: true, call: (call) => search(call, false) >= 0 },
  none: { returns: "bool", isTest: true, call: (call) => search(call, false) < 0 },
  one: { returns: "bool", isTest: true, call: (call) => count(call, 2) === 1 },
  count: { returns: "int", isTest: true, call: (call) => BigInt(count(call)) },
  filter: {
    returns: "array",
    isTest: true,
    call: (call) => call.run.list(call.list.filter((_, i) => test(call, i))),
  },
  map: { returns: "array", isTest: false, call: (call) => call.run.list(call.list.map((_, i) => call.apply(i))) },
  find: finding(false, element),
  findIndex: finding(false, place),
  findLast: finding(true, element),
  findLastIndex: finding(true, place),
  sum: {
    returns: "any",
    isTest: false,
    call: (call) =>
      sum(
        call.run,
        call.list.map((_, i) => call.apply(i)),
      ),
  },
  groupBy: { returns: "map", isTest: false, call: groupBy },
  sortBy: { returns: "array", isTest: false, call: sorted },
  reduce: { returns: "any", isTest: false, call: reduce },
};

function groupBy({ run, list, apply }: PredicateCall): ReadonlyMap<unknown, unknown> {
  const groups = new Map<unknown, unknown[]>();
  for (const [i, item] of list.entries()) {
    const key = apply(i);
    if (Array.isArray(key) || isMap(key)) throw run.error(`hash of unhashable type: ${typeName(key)}`);
    run.allot(1);
    const group = groups.get(mapKey(key));
    if (group === undefined) groups.set(mapKey(key), [item]);
    else group.push(item);
  }
  return groups;
}

function sorted(call: PredicateCall): unknown[] {
  const { run, list, apply, extra } = call;
  const isDescending = readOrder(run, extra, () => "unknown order, use asc or desc");
  const keys = list.map((_, i) => apply(i));
  return sortBy(run, { list, keys, isDescending });
}

function reduce({ run, list, apply, extra, accumulator }: PredicateCall): unknown {
  if (list.length === 0 && extra === undefined) throw run.error("reduce of empty array with no initial value");
  run.slots[accumulator] = extra === undefined ? list[0] : extra;
  for (let i = extra === undefined ? 1 : 0; i < list.length; i++) run.slots[accumulator] = apply(i);
  return run.slots[accumulator];
}

/** The call of a predicate function with its arguments. */
export function predicateStep(
  work: PredicateFunction,
  parts: { list: Step; predicate: CompiledPredicate; extra: Step | undefined },
): Step {
  const { predicate } = parts;
  const { at, cost, item, index, accumulator, step } = predicate;
  return (run) => {
    const list = parts.list(run);
    const extra = parts.extra?.(run);
    run.at = at;
    if (!Array.isArray(list)) throw run.error(`builtin takes only array (got ${typeName(list)})`);
    const all = list as unknown[];
    const apply = (place: number) => {
      run.spend(cost);
      run.slots[item] = all[place] ?? null;
      run.slots[index] = place;
      const value = step(run);
      run.at = at;
      return value;
    };
    return work.call({ run, list: all, apply, extra, accumulator });
  };
}
