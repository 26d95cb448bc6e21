import type { VarTable } from "./_scope.ts";
import { NOWHERE, RegoError, type RegoProblem } from "./errors.ts";
import { type Literal, type Modifier, type Simple, varsOf } from "./ir.ts";

const MAX_WORK = 2_000_000;

/** Puts the literals of bodies in an order in which every variable has a value before it is needed. */
export class Planner {
  readonly #table: VarTable;
  #work = 0;

  constructor(table: VarTable) {
    this.#table = table;
  }

  /**
   * The literals in the order they run; `bound` grows by the variables they bind.
   *
   * @throws RegoError naming the variables that never get a value.
   */
  order(literals: readonly Literal[], bound: Set<number>, heads: readonly Simple[] = []): Literal[] {
    const out = this.#tryOrder(literals, bound);
    const problems = out.waiting.flatMap((literal) => this.#problems(literal, bound));
    const last = literals[literals.length - 1];
    const place = last?.at ?? NOWHERE;
    for (const head of heads) problems.push(...this.#unsafe(unbound(head, bound), place));
    const [first, ...rest] = distinct(problems);
    if (first !== undefined) throw new RegoError([first, ...rest]);
    if (out.waiting.length > 0) throw RegoError.at("rego_unsafe_var_error", "expression is unsafe", place);
    return out.ordered;
  }

  #tryOrder(literals: readonly Literal[], bound: Set<number>): { ordered: Literal[]; waiting: Literal[] } {
    const ordered: Literal[] = [];
    let waiting = [...literals];
    for (;;) {
      this.#work += waiting.length;
      if (this.#work > MAX_WORK) this.#tooMuch(waiting);
      const later: Literal[] = [];
      for (const literal of waiting) {
        const ready = this.#place(literal, bound);
        if (ready === undefined) later.push(literal);
        else ordered.push(ready);
      }
      if (later.length === 0 || later.length === waiting.length) return { ordered, waiting: later };
      waiting = later;
    }
  }

  /** The literal with its inner bodies ordered when it can run now; adds what it binds. */
  #place(literal: Literal, bound: Set<number>): Literal | undefined {
    switch (literal.op) {
      case "test":
        return isBound(literal.term, bound) ? literal : undefined;
      case "unify": {
        const { a, b } = literal;
        if (isBound(a, bound) && bindable(b, bound)) return this.#bind(literal, [b], bound);
        return isBound(b, bound) && bindable(a, bound) ? this.#bind(literal, [a], bound) : undefined;
      }
      case "ref": {
        const { root, path, out } = literal;
        const patterns = out === undefined ? path : [...path, out];
        if (root.k === "term" && !isBound(root.term, bound)) return undefined;
        return patterns.every((each) => bindable(each, bound)) ? this.#bind(literal, patterns, bound) : undefined;
      }
      case "call": {
        const { args, out } = literal;
        if (!args.every((arg) => isBound(arg, bound))) return undefined;
        if (out === undefined) return literal;
        return bindable(out, bound) ? this.#bind(literal, [out], bound) : undefined;
      }
      case "with":
        return this.#placeWith(literal, bound);
      default:
        return this.#placeClosure(literal, bound);
    }
  }

  #tooMuch([first]: readonly Literal[]): never {
    throw RegoError.at("rego_compile_error", "the body is too long to be put in order", first?.at ?? NOWHERE);
  }

  #bind(literal: Literal, patterns: readonly Simple[], bound: Set<number>): Literal {
    for (const pattern of patterns) varsOf(pattern, bound);
    return literal;
  }

  #placeWith(literal: Literal & { op: "with" }, bound: Set<number>): Literal | undefined {
    if (!literal.modifiers.every((each) => modifierBound(each, bound))) return undefined;
    const after = new Set(bound);
    const { ordered, waiting } = this.#tryOrder(literal.body, after);
    if (waiting.length > 0) return undefined;
    for (const id of after) bound.add(id);
    return { ...literal, body: ordered };
  }

  #placeClosure(literal: Literal & { op: "compr" | "not" | "every" }, bound: Set<number>): Literal | undefined {
    if (!literal.needs.every((id) => bound.has(id))) return undefined;
    const inside = new Set(bound);
    if (literal.op === "every") {
      if (!isBound(literal.domain, bound)) return undefined;
      inside.add(literal.key).add(literal.value);
      return { ...literal, body: this.order(literal.body, inside) };
    }
    if (literal.op === "not") return { ...literal, body: this.order(literal.body, inside) };
    const heads = literal.key === undefined ? [literal.value] : [literal.key, literal.value];
    const body = this.order(literal.body, inside, heads);
    bound.add(literal.out);
    return { ...literal, body };
  }

  #problems(literal: Literal, bound: Set<number>): RegoProblem[] {
    return this.#unsafe(this.#missing(literal, bound), literal.at);
  }

  #missing(literal: Literal, bound: ReadonlySet<number>): number[] {
    switch (literal.op) {
      case "test":
        return unbound(literal.term, bound);
      case "unify":
        return [...unbound(literal.a, bound), ...unbound(literal.b, bound)];
      case "ref":
        return [literal.root.k === "term" ? literal.root.term : undefined, ...literal.path, literal.out]
          .filter((each) => each !== undefined)
          .flatMap((each) => unbound(each, bound));
      case "call":
        return literal.args.flatMap((arg) => unbound(arg, bound));
      case "with": {
        const inside = new Set(bound);
        const { waiting } = this.#tryOrder(literal.body, inside);
        const values = literal.modifiers.flatMap((each) =>
          each.value === undefined ? [] : unbound(each.value, bound),
        );
        return [...values, ...waiting.flatMap((each) => this.#missing(each, inside))];
      }
      case "every":
        return [...unbound(literal.domain, bound), ...literal.needs.filter((id) => !bound.has(id))];
      default:
        return literal.needs.filter((id) => !bound.has(id));
    }
  }

  #unsafe(ids: readonly number[], at: Literal["at"]): RegoProblem[] {
    const names = ids.map((id) => this.#table.names[id] ?? "").filter((name) => name !== "" && name !== "$part");
    const { filename, row, col } = at;
    return names.map((name) => {
      const message = `var ${name} is unsafe`;
      return { code: "rego_unsafe_var_error", message, filename, row, col };
    });
  }
}

function distinct(problems: readonly RegoProblem[]): RegoProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ message }) => !seen.has(message) && seen.add(message));
}

function modifierBound(modifier: Modifier, bound: ReadonlySet<number>): boolean {
  return modifier.value === undefined || isBound(modifier.value, bound);
}

/** Whether all variables of a term have a value. */
export function isBound(term: Simple, bound: ReadonlySet<number>): boolean {
  switch (term.k) {
    case "const":
      return true;
    case "var":
      return bound.has(term.id);
    case "object":
      return term.pairs.every(([key, value]) => isBound(key, bound) && isBound(value, bound));
    default:
      return term.items.every((item) => isBound(item, bound));
  }
}

/** Whether matching a value against the term can give its variables their values. */
function bindable(term: Simple, bound: ReadonlySet<number>): boolean {
  switch (term.k) {
    case "const":
    case "var":
      return true;
    case "array":
      return term.items.every((item) => bindable(item, bound));
    case "set":
      return isBound(term, bound);
    case "object":
      return term.pairs.every(([key, value]) => isBound(key, bound) && bindable(value, bound));
  }
}

function unbound(term: Simple, bound: ReadonlySet<number>): number[] {
  return [...varsOf(term)].filter((id) => !bound.has(id));
}
