import { Names, type Outside } from "./_names.ts";
import { Scope, VarTable } from "./_scope.ts";
import { Annotations } from "./annotations.ts";
import type { Expr, Module, Rule, RuleBranch, Term } from "./ast.ts";
import { NOWHERE, RegoError, type RegoPlace, type RegoProblem } from "./errors.ts";
import type { Branch, Literal, PlacedRule, RuleDef, RuleGroup, Simple, Sketch } from "./ir.ts";
import { Normalizer } from "./normalize.ts";
import { Planner } from "./safety.ts";
import { sketchRule } from "./sketch.ts";
import type { TreeNode } from "./tree.ts";

const TRUE: Simple = { k: "const", value: true };
const MAX_PROBLEMS = 10;

/** A query with the variables its caller wants to see. */
export interface ResolvedQuery {
  readonly branch: Branch;
  readonly names: ReadonlyMap<string, number>;
}

/** Resolves names and orders bodies of all rules of a program. */
export class Resolver {
  readonly #root: TreeNode;
  readonly #outside: Outside;
  readonly #annotations: Annotations;
  readonly #names = new Map<Module, Names>();
  readonly #rules = new Map<string, Set<string>>();

  constructor(modules: readonly Module[], root: TreeNode, outside: Outside) {
    this.#root = root;
    this.#outside = outside;
    this.#annotations = new Annotations(modules);
    for (const module of modules) {
      const key = module.packagePath.join("\u0000");
      const names = this.#rules.get(key) ?? new Set();
      for (const { name } of module.rules) if (name[0]?.t === "var") names.add(name[0].name);
      this.#rules.set(key, names);
    }
  }

  /** Fills the definitions of every group; all problems are reported together. */
  resolve(groups: readonly RuleGroup[]): void {
    const problems: RegoProblem[] = [];
    for (const group of groups) {
      const defs: RuleDef[] = [];
      for (const placed of group.placed) {
        try {
          defs.push(this.#def(placed, group));
        } catch (error) {
          if (!(error instanceof RegoError)) throw error;
          problems.push(...error.problems);
        }
      }
      group.defs = defs;
    }
    const [first, ...rest] = problems.slice(0, MAX_PROBLEMS);
    if (first !== undefined) throw new RegoError([first, ...rest]);
  }

  #namesOf(module: Module): Names {
    let names = this.#names.get(module);
    if (names === undefined) {
      const rules = this.#rules.get(module.packagePath.join("\u0000")) ?? new Set();
      names = new Names(module, rules, this.#root, this.#outside, this.#annotations);
      this.#names.set(module, names);
    }
    return names;
  }

  #def(placed: PlacedRule, group: RuleGroup): RuleDef {
    const def = new Def(placed, group.arity, this.#namesOf(placed.module));
    if (def.sketch === undefined) def.branches;
    return def;
  }

  /** Resolves a query as the body of a rule in no package. */
  query(exprs: readonly Expr[]): ResolvedQuery {
    const module: Module = {
      filename: "query",
      dialect: "v1",
      packagePath: [],
      imports: [],
      rules: [],
      scopedNot: false,
      source: "",
      packageRow: 0,
    };
    const names = new Names(module, new Set(), this.#root, this.#outside, this.#annotations);
    const table = new VarTable();
    const scope = new Scope(table);
    const normalizer = new Normalizer(names, table, NOWHERE, undefined);
    normalizer.open(scope, exprs, []);
    const literals: Literal[] = [];
    normalizer.body(exprs, scope, literals);
    const bound = new Set<number>();
    const ordered = new Planner(table).order(literals, bound);
    const branch: Branch = {
      literals: ordered,
      value: TRUE,
      path: [],
      contains: false,
      slots: table.names.length,
      at: NOWHERE,
    };
    return { branch, names: new Map([...scope.implicit, ...scope.declared]) };
  }
}

/** A rule whose bodies are resolved when they are first asked for. */
class Def implements RuleDef {
  readonly isDefault: boolean;
  readonly arity: number;
  readonly at: RegoPlace;
  readonly sketch: Sketch | undefined;
  readonly #placed: PlacedRule;
  readonly #names: Names;
  #branches: readonly Branch[] | undefined;

  constructor(placed: PlacedRule, arity: number, names: Names) {
    this.isDefault = placed.rule.isDefault;
    this.arity = arity;
    this.at = placed.rule.at;
    this.sketch = sketchRule(placed, names);
    this.#placed = placed;
    this.#names = names;
  }

  get branches(): readonly Branch[] {
    const { rule, suffix } = this.#placed;
    this.#branches ??= rule.branches.map((branch) => branchOf(rule, branch, suffix, this.#names));
    return this.#branches;
  }
}

function branchOf(rule: Rule, source: RuleBranch, suffix: readonly Term[], names: Names): Branch {
  const table = new VarTable();
  const scope = new Scope(table);
  const normalizer = new Normalizer(names, table, source.at, rule);
  const args = rule.args ?? [];
  const bound = new Set<number>();
  const patterns = declareArgs(args, scope, table);
  for (let id = 0; id < args.length; id++) bound.add(id);
  const heads = [...suffix, rule.contains, source.value].filter((term) => term !== undefined);
  normalizer.open(scope, source.body, heads);
  const literals: Literal[] = [];
  for (const [id, term] of patterns) normalizer.match({ k: "var", id }, term, scope, literals);
  normalizer.body(source.body, scope, literals);
  const tail = { moved: literals, main: literals, scope };
  const path = suffix.map((term) => normalizer.term(term, tail));
  const head = rule.contains ?? source.value;
  const value = head === undefined ? TRUE : normalizer.term(head, tail);
  normalizer.checkIdle();
  const ordered = new Planner(table).order(literals, bound, [...path, value]);
  return {
    literals: ordered,
    value,
    path,
    contains: rule.contains !== undefined,
    slots: table.names.length,
    at: source.at,
  };
}

/** Gives every argument a slot; arguments that are patterns are returned to be matched in the body. */
function declareArgs(args: readonly Term[], scope: Scope, table: VarTable): (readonly [number, Term])[] {
  const patterns: (readonly [number, Term])[] = [];
  const seen = new Set<string>();
  for (const arg of args) {
    if (arg.t === "var" && !seen.has(arg.name)) {
      scope.declare(arg.name);
      if (arg.name !== "_") seen.add(arg.name);
    } else patterns.push([table.add("", 0), arg]);
  }
  for (const [, term] of patterns) declareNested(term, scope);
  return patterns;
}

function declareNested(term: Term, scope: Scope): void {
  if (term.t === "var" && term.name !== "_" && !scope.declared.has(term.name)) scope.declare(term.name);
  else if (term.t === "array") for (const item of term.items) declareNested(item, scope);
  else if (term.t === "object") for (const [, value] of term.pairs) declareNested(value, scope);
}
