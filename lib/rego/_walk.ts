import { linkMatch, linkTerm } from "./_match.ts";
import { type Context, type Frame, isShadowed, type Shadow } from "./context.ts";
import type { RuleGroup, Simple } from "./ir.ts";
import { isBound } from "./safety.ts";
import type { TreeNode } from "./tree.ts";
import { compareValues, isArray, keyOf, lookup, RegoObject, RegoSet, type RegoValue } from "./values.ts";

/** Goes on with a value; true ends the search. */
export type Walk = (f: Frame, value: RegoValue) => boolean;

/** Makes the document of a group of rules. */
export type GroupValue = (c: Context, group: RuleGroup) => RegoValue | undefined;

/** One step of a path, linked for what is bound when it is taken. */
type Step = { readonly get: (f: Frame) => RegoValue } | { readonly match: (f: Frame, key: RegoValue) => boolean };

/** Links the steps of a path in order; adds what they bind. */
function linkSteps(path: readonly Simple[], bound: Set<number>): Step[] {
  return path.map((step) => (isBound(step, bound) ? { get: linkTerm(step) } : { match: linkMatch(step, bound) }));
}

type Lookup = (value: RegoValue, key: RegoValue) => RegoValue | undefined;

/** Looks up a key in the data given, where a number also stands for the name it is written as. */
function lookupData(value: RegoValue, key: RegoValue): RegoValue | undefined {
  const found = lookup(value, key);
  if (found !== undefined || typeof key !== "number" || !(value instanceof RegoObject)) return found;
  return value.get(String(key));
}

function walkValue(step: Step, next: Walk, find: Lookup = lookup): Walk {
  if ("get" in step) {
    const { get } = step;
    return (f, value) => {
      const inner = find(value, get(f));
      return inner !== undefined && next(f, inner);
    };
  }
  const { match } = step;
  return (f, value) => {
    if (isArray(value)) return walkArray(f, value, match, next);
    if (value instanceof RegoSet) return walkSet(f, value, match, next);
    if (value instanceof RegoObject) return walkObject(f, value, match, next);
    return false;
  };
}

type Match = (f: Frame, key: RegoValue) => boolean;

function walkArray(f: Frame, value: readonly RegoValue[], match: Match, next: Walk): boolean {
  const { meter } = f.c;
  for (let i = 0; i < value.length; i++) {
    meter.tick();
    const item = value[i];
    if (item !== undefined && match(f, i) && next(f, item)) return true;
  }
  return false;
}

function walkSet(f: Frame, value: RegoSet, match: Match, next: Walk): boolean {
  const { meter } = f.c;
  for (const item of value.values()) {
    meter.tick();
    if (match(f, item) && next(f, item)) return true;
  }
  return false;
}

function walkObject(f: Frame, value: RegoObject, match: Match, next: Walk): boolean {
  const { meter } = f.c;
  for (const key of value.keys()) {
    meter.tick();
    const item = value.get(key);
    if (item !== undefined && match(f, key) && next(f, item)) return true;
  }
  return false;
}

/** The walks from each step on to the goal, and the goal itself at the end. */
function chain(steps: readonly Step[], goal: Walk, find: Lookup): Walk[] {
  const out: Walk[] = new Array(steps.length + 1);
  let next = goal;
  out[steps.length] = goal;
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i];
    if (step !== undefined) next = walkValue(step, next, find);
    out[i] = next;
  }
  return out;
}

/** Links a path below a plain value. */
export function linkPath(path: readonly Simple[], bound: Set<number>, last: (bound: Set<number>) => Walk): Walk {
  const steps = linkSteps(path, bound);
  return steps.reduceRight((next, step) => walkValue(step, next), last(bound));
}

/** Links a path below `data`, through the tree of rules. */
export class DataPath {
  readonly #root: TreeNode;
  readonly #value: GroupValue;

  constructor(root: TreeNode, value: GroupValue) {
    this.#root = root;
    this.#value = value;
  }

  link(path: readonly Simple[], bound: Set<number>, last: (bound: Set<number>) => Walk): (f: Frame) => boolean {
    const [first, ...others] = path;
    const isNumber = first?.k === "const" && typeof first.value === "number";
    const named: readonly Simple[] = isNumber ? [{ k: "const", value: String(first.value) }, ...others] : path;
    const steps = linkSteps(named, bound);
    const goal = last(bound);
    const walks = chain(steps, goal, lookup);
    let node: TreeNode | undefined = this.#root;
    let depth = 0;
    for (; node !== undefined && node.group === undefined && depth < path.length; depth++) {
      const step = path[depth];
      if (step?.k !== "const") break;
      node = node.children.get(keyOf(step.value));
    }
    const given = chain(steps, goal, lookupData);
    const whole = given[0] ?? goal;
    if (node === undefined) return (f) => whole(f, f.c.data);
    const rest = walks[depth] ?? goal;
    if (node.group !== undefined) return this.#throughGroup(node.group, rest, whole);
    return this.#throughTree(steps, walks, given);
  }

  #throughGroup(group: RuleGroup, rest: Walk, whole: Walk): (f: Frame) => boolean {
    const value = this.#value;
    return (f) => {
      const { c } = f;
      if (c.shadow !== undefined && isShadowed(c.shadow, group.keys)) return whole(f, c.data);
      const made = value(c, group);
      return made !== undefined && rest(f, made);
    };
  }

  #throughTree(steps: readonly Step[], walks: readonly Walk[], given: readonly Walk[]): (f: Frame) => boolean {
    const go = (
      f: Frame,
      node: TreeNode | undefined,
      base: RegoValue | undefined,
      shadow: Shadow | undefined,
      i: number,
    ): boolean => {
      const [walk, plain] = [walks[i], given[i]];
      if (walk === undefined || plain === undefined) return false;
      if (node === undefined || shadow?.whole === true) return base !== undefined && plain(f, base);
      if (node.group !== undefined) {
        const made = this.#value(f.c, node.group);
        return made !== undefined && walk(f, made);
      }
      const step = steps[i];
      if (step === undefined) return walk(f, this.extent(f.c, node, base, shadow));
      const enter = (key: RegoValue): boolean => {
        const k = keyOf(key);
        const inner = base === undefined ? undefined : lookupData(base, key);
        return go(f, node.children.get(k), inner, shadow?.children.get(k), i + 1);
      };
      if ("get" in step) return enter(step.get(f));
      for (const key of this.#keys(f.c, node, base)) if (step.match(f, key) && enter(key)) return true;
      return false;
    };
    return (f) => go(f, this.#root, f.c.data, f.c.shadow, 0);
  }

  #keys(c: Context, node: TreeNode, base: RegoValue | undefined): RegoValue[] {
    const keys = new Map(node.children.entries().map(([k, child]) => [k, child.key as RegoValue] as const));
    if (base instanceof RegoObject) for (const key of base.keys()) keys.set(keyOf(key), key);
    c.meter.tick(keys.size);
    return [...keys.values()].sort(compareValues);
  }

  /** The whole document at a place in the tree: what the rules make, and over it the data given. */
  extent(c: Context, node: TreeNode, base: RegoValue | undefined, shadow: Shadow | undefined): RegoValue {
    const out = base instanceof RegoObject ? RegoObject.of(base.entries()) : new RegoObject();
    for (const [k, child] of node.children) {
      const below = shadow?.children.get(k);
      if (below?.whole === true) continue;
      const inner = base === undefined ? undefined : lookup(base, child.key);
      const made = child.group === undefined ? this.extent(c, child, inner, below) : this.#value(c, child.group);
      if (made !== undefined) out.set(child.key, inner === undefined ? made : overlay(made, inner));
    }
    return out;
  }
}

/** A document with another one over it; only objects show what they lie on. */
function overlay(under: RegoValue, over: RegoValue): RegoValue {
  if (!(under instanceof RegoObject && over instanceof RegoObject)) return over;
  const out = RegoObject.of(under.entries());
  for (const [key, value] of over.entries()) {
    const before = out.get(key);
    out.set(key, before === undefined ? value : overlay(before, value));
  }
  return out;
}
