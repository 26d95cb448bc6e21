import type { Names } from "./_names.ts";
import type { Expr, RefTerm, Rule, RuleBranch, Term } from "./ast.ts";
import { arityOf, type Condition, type Need, type PlacedRule, type Simple, type Sketch } from "./ir.ts";
import type { RegoScalar } from "./values.ts";

const COMPUTED: Simple = { k: "var", id: -1 };

/**
 * What is known of a rule without variables of its own before its bodies are resolved.
 *
 * Such a rule cannot be unsafe, and its expressions run in the order they are written; its names and the
 * arities of its calls have been looked at. Undefined for every other rule, and for those with a mistake.
 */
export function sketchRule({ rule, suffix }: PlacedRule, names: Names): Sketch | undefined {
  if (rule.args !== undefined) return undefined;
  const sketcher = new Sketcher(names);
  const plain =
    suffix.every((term) => sketcher.term(term)) &&
    (rule.contains === undefined || sketcher.term(rule.contains)) &&
    rule.branches.every((branch) => sketcher.branch(branch));
  if (!plain) return undefined;
  return { needs: sketcher.needs, constant: constantOf(rule), conditions: () => conditionsOf(rule, names) };
}

class Sketcher {
  readonly needs: Need[] = [];
  readonly #names: Names;

  constructor(names: Names) {
    this.#names = names;
  }

  branch({ value, body }: RuleBranch): boolean {
    if (value !== undefined && !this.term(value)) return false;
    for (const expr of body) if (!this.#expr(expr)) return false;
    return true;
  }

  #expr({ kind, withs }: Expr): boolean {
    if (withs.length > 0) return false;
    if (kind.k === "term") return this.term(kind.term);
    return kind.k === "unify" && this.term(kind.left) && this.term(kind.right);
  }

  term(term: Term): boolean {
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
      default:
        return false;
    }
  }

  #all(terms: readonly Term[]): boolean {
    for (const term of terms) if (!this.term(term)) return false;
    return true;
  }

  #ref({ head, path }: RefTerm): boolean {
    if (!this.#all(path)) return false;
    return head.t === "var" ? this.#path(head.name, path) : this.term(head);
  }

  /** A reference to a document; false for a variable. */
  #path(name: string, path: readonly Term[]): boolean {
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
