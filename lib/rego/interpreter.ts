import { CONFLICT, foundGoal } from "./_found.ts";
import { RuleIndex } from "./_index.ts";
import { type Call, type Functions, type Goal, Linker, mockName } from "./_link.ts";
import { DataPath } from "./_walk.ts";
import { BUSY, type Context, callKey, Frame, NOTHING } from "./context.ts";
import { RegoError, type RegoPlace } from "./errors.ts";
import type { Branch, Callee, Literal, RuleDef, RuleGroup } from "./ir.ts";
import type { ResolvedQuery } from "./resolver.ts";
import { pathText, type TreeNode } from "./tree.ts";
import { equalValues, RegoObject, RegoSet, type RegoValue } from "./values.ts";

interface LinkedBranch {
  readonly goal: Goal;
  readonly slots: number;
}

interface LinkedDef {
  readonly isDefault: boolean;
  readonly branches: readonly LinkedBranch[];
}

interface LinkedGroup {
  readonly group: RuleGroup;
  readonly defs: readonly RuleDef[];
  /** The rules that have been tried, linked. */
  readonly linked: (LinkedDef | undefined)[];
  readonly index: RuleIndex | undefined;
  readonly all: readonly number[];
  readonly fallback: RuleDef | undefined;
  fallbackLinked: LinkedDef | undefined;
  /** Whether all rules say the same constant, so that the first that holds decides. */
  readonly sameConstant: boolean;
  readonly at: RegoPlace;
}

/** Runs linked rules; one per program, shared by all evaluations. */
export class Interpreter {
  readonly #data: DataPath;
  readonly #linker: Linker;
  readonly #groups = new Map<RuleGroup, LinkedGroup>();
  readonly #queries = new WeakMap<Branch, Goal>();
  readonly #traced: boolean;
  #branchIds = new Map<Branch, number>();

  constructor(root: TreeNode, library: LibraryCode, traced: boolean) {
    this.#traced = traced;
    this.#data = new DataPath(root, (c, group) => this.value(c, group));
    const functions: Functions = {
      code: (callee, at) => (callee.k === "rule" ? this.#ruleCall(callee.group) : library.code(callee, at)),
      relation: (name, at) => library.relation(name, at),
    };
    this.#linker = new Linker(this.#data, functions);
  }

  /** The number under which a tracer hears of a branch. */
  branchId(branch: Branch): number {
    const known = this.#branchIds.get(branch);
    if (known !== undefined) return known;
    const id = this.#branchIds.size;
    this.#branchIds.set(branch, id);
    return id;
  }

  /** Runs a query; `found` hears of the variables of every solution until it returns true. */
  query(
    { branch, names }: ResolvedQuery,
    c: Context,
    found: (values: ReadonlyMap<string, RegoValue>) => boolean,
  ): void {
    let goal = this.#queries.get(branch);
    if (goal === undefined) {
      goal = this.#linker.branch(branch, new Set(), (f) => f.sink?.(f) === true);
      this.#queries.set(branch, goal);
    }
    const frame = new Frame(c, []);
    frame.sink = (f) => {
      const values = new Map<string, RegoValue>();
      for (const [name, id] of names) {
        const value = f.s[id];
        if (value !== undefined) values.set(name, value);
      }
      c.meter.make(64);
      return found(values);
    };
    goal(frame);
  }

  /** The document of a group, from the cache where it was made before. */
  value(c: Context, group: RuleGroup): RegoValue | undefined {
    if (group.kind === "function") return undefined;
    const cached = c.cache[group.id];
    if (cached !== undefined) {
      if (cached === NOTHING) return undefined;
      if (cached !== BUSY) return cached;
      throw RegoError.at("rego_recursion_error", `rule ${pathText(group.keys)} is recursive`, group.at);
    }
    c.cache[group.id] = BUSY;
    c.meter.enter();
    const made = this.#make(c, group);
    c.meter.leave();
    c.cache[group.id] = made === undefined ? NOTHING : made;
    return made;
  }

  #make(c: Context, group: RuleGroup): RegoValue | undefined {
    const linked = this.#linked(group);
    if (group.kind === "complete")
      return this.#single(c, linked, [], "complete rules must not produce multiple outputs");
    const out = group.kind === "set" ? new RegoSet() : new RegoObject();
    for (const i of linked.index?.candidates(c) ?? linked.all) {
      const def = this.#defOf(linked, i);
      if (def !== undefined) this.#collect(c, def, out);
    }
    return out;
  }

  /** Runs rules that give one value, and sees to it that they agree. */
  #single(c: Context, group: LinkedGroup, args: readonly RegoValue[], conflict: string): RegoValue | undefined {
    let out: RegoValue | undefined;
    for (const i of group.index?.candidates(c) ?? group.all) {
      const def = this.#defOf(group, i);
      if (def === undefined) continue;
      const value = this.#first(c, group, def, args, conflict);
      if (value === undefined) continue;
      if (group.sameConstant) return value;
      if (out === undefined) out = value;
      else if (!equalValues(out, value)) throw RegoError.at("eval_conflict_error", conflict, placeOf(group, i));
    }
    if (out !== undefined || group.fallback === undefined) return out;
    group.fallbackLinked ??= this.#linkDef(group.fallback, group.group);
    return this.#first(c, group, group.fallbackLinked, args, conflict);
  }

  /** A rule of a group, linked when it is first tried. */
  #defOf(group: LinkedGroup, i: number): LinkedDef | undefined {
    const known = group.linked[i];
    if (known !== undefined) return known;
    const def = group.defs[i];
    if (def === undefined) return undefined;
    const linked = this.#linkDef(def, group.group);
    group.linked[i] = linked;
    return linked;
  }

  /** The value of the first branch that holds. */
  #first(
    c: Context,
    group: LinkedGroup,
    def: LinkedDef,
    args: readonly RegoValue[],
    conflict: string,
  ): RegoValue | undefined {
    for (const branch of def.branches) {
      const frame = new Frame(c, args.slice());
      try {
        branch.goal(frame);
      } catch (error) {
        if (error === CONFLICT) throw RegoError.at("eval_conflict_error", conflict, group.at);
        throw error;
      }
      if (frame.out !== undefined) return frame.out;
    }
    return undefined;
  }

  #collect(c: Context, def: LinkedDef, into: RegoValue | undefined): void {
    for (const branch of def.branches) {
      const frame = new Frame(c, []);
      frame.out = into;
      frame.held = false;
      branch.goal(frame);
      if (frame.held) return;
    }
  }

  #ruleCall(group: RuleGroup): Call {
    let linked: LinkedGroup | undefined;
    const name = mockName({ k: "rule", group });
    return (c, args) => {
      const mock = c.mocks?.get(name);
      if (mock !== undefined) return "call" in mock ? mock.call(c, args) : mock.value;
      linked ??= this.#linked(group);
      const key = c.mocks === undefined ? callKey(group.id, args) : undefined;
      const known = key === undefined ? undefined : c.calls.get(key);
      if (known !== undefined && known !== BUSY) return known === NOTHING ? undefined : known;
      c.meter.enter();
      const value = this.#single(c, linked, args, "functions must not produce multiple outputs for same inputs");
      c.meter.leave();
      if (key !== undefined) remember(c, key, value);
      return value;
    };
  }

  #linked(group: RuleGroup): LinkedGroup {
    const known = this.#groups.get(group);
    if (known !== undefined) return known;
    const single = group.kind === "complete" || group.kind === "function";
    const rules = group.defs.filter((def) => !def.isDefault);
    const defaults = rules.length === group.defs.length ? [] : group.defs.filter((def) => def.isDefault);
    const defs = single ? rules : [...rules, ...defaults];
    const linked: LinkedGroup = {
      group,
      defs,
      linked: [],
      index: this.#traced ? undefined : RuleIndex.of(defs),
      all: defs.map((_, i) => i),
      fallback: single ? defaults[0] : undefined,
      fallbackLinked: undefined,
      sameConstant: single && sayTheSame(group.defs),
      at: group.at,
    };
    this.#groups.set(group, linked);
    return linked;
  }

  #linkDef(def: RuleDef, group: RuleGroup): LinkedDef {
    return {
      isDefault: def.isDefault,
      branches: def.branches.map((branch) => this.#linkBranch(branch, def, group)),
    };
  }

  #linkBranch(branch: Branch, def: RuleDef, group: RuleGroup): LinkedBranch {
    const bound = new Set<number>();
    for (let id = 0; id < def.arity; id++) bound.add(id);
    const found = foundGoal(branch, group, def.isDefault);
    if (!this.#traced) return { goal: this.#linker.branch(branch, bound, found), slots: branch.slots };
    const id = this.branchId(branch);
    const reached = (f: Frame, index: number) => f.c.tracer?.reached(id, index);
    const goal = this.#linker.branch(
      branch,
      bound,
      (f) => {
        f.c.tracer?.decided(id, true);
        return found(f);
      },
      reached,
    );
    return {
      goal: (f) => {
        f.c.tracer?.decided(id, false);
        return goal(f);
      },
      slots: branch.slots,
    };
  }
}

/** Code of the functions that are not written in the language. */
export interface LibraryCode {
  code(callee: Exclude<Callee, { k: "rule" }>, at: Literal["at"]): Call;
  relation: Functions["relation"];
}

/** Where a rule that disagrees is reported: at itself below a name of several steps, otherwise at the first of its name. */
function placeOf({ group, defs, at }: LinkedGroup, i: number): RegoPlace {
  const steps = group.placed[0]?.rule.name.length ?? 1;
  return (steps > 1 ? defs[i]?.at : undefined) ?? at;
}

const MOST_CALLS = 10_000;

function remember(c: Context, key: string, value: RegoValue | undefined): void {
  if (c.calls.size >= MOST_CALLS) return;
  c.meter.make(key.length + 32);
  c.calls.set(key, value === undefined ? NOTHING : value);
}

function sayTheSame(defs: readonly RuleDef[]): boolean {
  let same: RegoValue | undefined;
  for (const def of defs) {
    if (def.isDefault) continue;
    for (const value of constantsOf(def)) {
      same ??= value;
      if (value === undefined || same === undefined || !equalValues(value, same)) return false;
    }
  }
  return same !== undefined;
}

/** What the branches of a rule say where that is a constant. */
function constantsOf(def: RuleDef): readonly (RegoValue | undefined)[] {
  const known = def.sketch?.constant;
  if (known !== undefined) return [known];
  return def.branches.map(({ value }) => (value.k === "const" ? value.value : undefined));
}
