import type { Names } from "./_names.ts";
import type { ComprehensionTerm, Expr, RefTerm, Rule, RuleBranch, Term } from "./ast.ts";
import { arityOf, type Condition, type Need, type PlacedRule, type Simple, type Sketch } from "./ir.ts";
import type { RegoScalar } from "./values.ts";

const COMPUTED: Simple = { k: "var", id: -1 };

/**
 * What is known of a rule before its bodies are resolved, where it is plain to see that it has no mistake: all names
 * exist, calls have the right arity, and every variable is declared and given a value before it is used, as the
 * expressions are written.
 *
 * Undefined for every other rule, which may still be right.
 */
export function sketchRule({ rule, suffix }: PlacedRule, names: Names): Sketch | undefined {
  const sketcher = new Sketcher(names);
  if (!sketcher.args(rule.args)) return undefined;
  const heads = rule.contains === undefined ? suffix : [...suffix, rule.contains];
  for (const branch of rule.branches) if (!sketcher.branch(branch, heads)) return undefined;
  return { needs: sketcher.needs, constant: constantOf(rule), conditions: () => conditionsOf(rule, names) };
}

class Sketcher {
  readonly needs: Need[] = [];
  readonly #names: Names;
  /** Variables that have a value here, innermost last. */
  readonly #vars: string[] = [];
  #negated = false;

  constructor(names: Names) {
    this.#names = names;
  }

  /** Declares the arguments of a function; false where one is more than a name. */
  args(args: readonly Term[] | undefined): boolean {
    if (args === undefined) return true;
    for (const arg of args) if (!this.#declare(arg)) return false;
    return true;
  }

  branch({ value, body }: RuleBranch, heads: readonly Term[]): boolean {
    const outside = this.#vars.length;
    const plain = this.#body(body) && (value === undefined || this.#term(value)) && this.#all(heads);
    this.#vars.length = outside;
    return plain;
  }

  #body(body: readonly Expr[]): boolean {
    for (const expr of body) if (!this.#expr(expr)) return false;
    return true;
  }

  #expr({ kind, withs, negated }: Expr): boolean {
    if (withs.length > 0) return false;
    if (negated) return this.#negation(kind);
    switch (kind.k) {
      case "term":
        return this.#term(kind.term);
      case "unify":
        return this.#term(kind.left) && this.#term(kind.right);
      case "assign":
        return this.#term(kind.right) && this.#declare(kind.left);
      case "someIn":
        if (!this.#term(kind.domain)) return false;
        return (kind.key === undefined || this.#declare(kind.key)) && this.#declare(kind.value);
      default:
        return false;
    }
  }

  #negation(kind: Expr["kind"]): boolean {
    if (kind.k !== "term") return false;
    const before = this.#negated;
    this.#negated = true;
    const plain = this.#term(kind.term);
    this.#negated = before;
    return plain;
  }

  /** Notes a new variable; false for patterns, and for names that mean something already. */
  #declare(term: Term): boolean {
    if (term.t !== "var") return false;
    if (term.name === "_") return true;
    if (this.#vars.includes(term.name) || this.#names.global(term.name) !== undefined) return false;
    this.#vars.push(term.name);
    return true;
  }

  #term(term: Term): boolean {
    switch (term.t) {
      case "scalar":
        return true;
      case "var":
        return this.#path(term.name, []);
      case "ref":
        return this.#ref(term);
      case "call":
        return this.#call(term.name, term.args);
      case "array":
      case "set":
        return this.#all(term.items);
      case "object":
        for (const pair of term.pairs) if (!this.#all(pair)) return false;
        return true;
      case "compr":
        return this.#comprehension(term);
      default:
        return false;
    }
  }

  #comprehension({ key, value, body }: ComprehensionTerm): boolean {
    const outside = this.#vars.length;
    const plain = this.#body(body) && (key === undefined || this.#term(key)) && this.#term(value);
    this.#vars.length = outside;
    return plain;
  }

  #all(terms: readonly Term[]): boolean {
    for (const term of terms) if (!this.#term(term)) return false;
    return true;
  }

  #steps(path: readonly Term[]): boolean {
    for (const step of path) {
      const any = step.t === "var" && step.name === "_" && !this.#negated;
      if (!any && !this.#term(step)) return false;
    }
    return true;
  }

  #ref({ head, path }: RefTerm): boolean {
    if (!this.#steps(path)) return false;
    return head.t === "var" ? this.#path(head.name, path) : this.#term(head);
  }

  /** A reference to a document or a variable that has a value; false for any other name. */
  #path(name: string, path: readonly Term[]): boolean {
    if (this.#vars.includes(name)) return true;
    const global = this.#names.global(name);
    if (global === undefined) return false;
    if (global.root === "data") {
      const steps = global.path.map((value): Simple => ({ k: "const", value }));
      for (const step of path) steps.push(step.t === "scalar" ? { k: "const", value: step.value } : COMPUTED);
      this.needs.push({ path: steps });
    }
    return true;
  }

  #call(name: readonly string[], args: readonly Term[]): boolean {
    if (this.#vars.includes(name[0] ?? "")) return false;
    const callee = this.#names.find(name);
    if (callee === undefined || args.length !== arityOf(callee)) return false;
    if (callee.k === "rule") this.needs.push({ group: callee.group });
    return this.#all(args);
  }
}

function constantOf({ branches, contains }: Rule): RegoScalar | undefined {
  const [branch, second] = branches;
  if (branch === undefined || second !== undefined || contains !== undefined) return undefined;
  const { value } = branch;
  if (value === undefined) return true;
  return value.t === "scalar" ? value.value : undefined;
}

/** Comparisons of input fields with constants without which a rule cannot hold. */
function conditionsOf({ branches }: Rule, names: Names): Condition[] {
  const [branch, second] = branches;
  const out: Condition[] = [];
  if (branch === undefined || second !== undefined) return out;
  for (const { kind, negated } of branch.body) {
    const sides = negated ? undefined : comparedIn(kind);
    const found = sides && (condition(sides[0], sides[1], names) ?? condition(sides[1], sides[0], names));
    if (found !== undefined) out.push(found);
  }
  return out;
}

function comparedIn(kind: Expr["kind"]): readonly [Term, Term] | undefined {
  if (kind.k === "unify") return [kind.left, kind.right];
  if (kind.k !== "term" || kind.term.t !== "call") return undefined;
  const { name, args } = kind.term;
  const [left, right] = args;
  const compares = name.length === 1 && (name[0] === "equal" || name[0] === "eq") && args.length === 2;
  return compares && left !== undefined && right !== undefined ? [left, right] : undefined;
}

function condition(ref: Term, value: Term, names: Names): Condition | undefined {
  if (value.t !== "scalar" || ref.t !== "ref" || ref.head.t !== "var") return undefined;
  const global = names.global(ref.head.name);
  if (global?.root !== "input") return undefined;
  const path: RegoScalar[] = [...global.path];
  for (const step of ref.path) {
    if (step.t !== "scalar") return undefined;
    path.push(step.value);
  }
  return { path, value: value.value };
}
