import type { Names } from "./_names.ts";
import { Scope, type VarTable } from "./_scope.ts";
import type { ComprehensionTerm, Expr, ListTerm, ObjectTerm, RefTerm, Rule, TemplateTerm, Term } from "./ast.ts";
import { RegoError, type RegoPlace } from "./errors.ts";
import {
  arityOf,
  type Callee,
  type Literal,
  type LiteralKind,
  literalVars,
  type RefRoot,
  type Simple,
  varsOf,
} from "./ir.ts";
import { RegoObject, RegoSet, type RegoValue } from "./values.ts";

/** A reference taken apart. */
export interface Path {
  root: RefRoot;
  path: Simple[];
}

/** Where the literals of an expression go: what is moved out of it, and the expression itself. */
export interface Target {
  readonly moved: Literal[];
  readonly main: Literal[];
  readonly scope: Scope;
}

/** Turns terms into flat literals and what is simple of them. */
export abstract class TermNormalizer {
  protected readonly names: Names;
  protected readonly table: VarTable;
  protected at: RegoPlace;
  protected text = "";
  readonly #rule: Rule | undefined;

  constructor(names: Names, table: VarTable, at: RegoPlace, rule: Rule | undefined) {
    this.names = names;
    this.table = table;
    this.at = at;
    this.#rule = rule;
  }

  /** The literals of a body, appended to `out`. */
  abstract body(exprs: readonly Expr[], scope: Scope, out: Literal[]): void;

  /** Prepares a scope for a body and the head terms that see its variables. */
  open(scope: Scope, exprs: readonly Expr[], heads: readonly Term[]): void {
    scope.collect(exprs, heads, (name) => this.names.global(name) !== undefined);
  }

  /** A literal that binds a term's value to a pattern, for heads and arguments. */
  match(pattern: Simple, term: Term, scope: Scope, out: Literal[]): void {
    const b = this.term(term, { moved: out, main: out, scope });
    this.push(out, { op: "unify", a: pattern, b });
  }

  protected push(into: Literal[], literal: LiteralKind): void {
    into.push({ ...literal, at: this.at, text: this.text });
  }

  protected fail(message: string, at: RegoPlace): never {
    throw RegoError.at("rego_compile_error", message, at);
  }

  /** The variables among these that live outside of a scope. */
  protected outer(ids: Iterable<number>, scope: Scope): number[] {
    return [...ids].filter((id) => (this.table.depths[id] ?? 0) < scope.depth);
  }

  protected callee(name: readonly string[], given: number, at: RegoPlace, scope: Scope, statement: boolean): Callee {
    const [first = ""] = name;
    if (scope.isDeclared(first)) this.fail(`called function ${name.join(".")} shadowed`, at);
    const callee = this.names.callee(name, at);
    const arity = arityOf(callee);
    if (given === arity || (statement && given === arity + 1)) return callee;
    const text = `${name.join(".")}: arity mismatch\n\thave: ${given} arguments\n\twant: ${arity} arguments`;
    throw RegoError.at("rego_type_error", text, at);
  }

  /** A term without references and calls; those are moved out in front. */
  term(term: Term, target: Target): Simple {
    switch (term.t) {
      case "scalar":
        return { k: "const", value: term.value };
      case "var":
      case "ref":
        return this.#refTerm(term, target);
      case "call":
        return this.#callTerm(term.name, term.args, term.at, target);
      case "array":
      case "set":
        return this.#list(term, target);
      case "object":
        return this.#object(term, target);
      case "compr":
        return { k: "var", id: this.#comprehension(term, target) };
      case "template":
        return this.#template(term, target);
    }
  }

  #refTerm(term: Term, target: Target): Simple {
    if (term.t === "var") {
      if (term.name === "_") return { k: "var", id: target.scope.declare("_") };
      const id = target.scope.find(term.name);
      if (id !== undefined) return { k: "var", id };
    }
    const ref = this.asRef(term, target);
    if (ref === undefined) return { k: "var", id: target.scope.mention(term.t === "var" ? term.name : "") };
    const out: Simple = { k: "var", id: target.scope.temp() };
    this.push(target.moved, { op: "ref", ...ref, out });
    return out;
  }

  /** A reference, or a name that stands for a document, taken apart; undefined for any other term. */
  protected asRef(term: Term, target: Target): Path | undefined {
    if (term.t === "ref") return this.#pathOf(term, target);
    if (term.t !== "var" || term.name === "_" || target.scope.find(term.name) !== undefined) return undefined;
    const global = this.names.global(term.name);
    if (global === undefined) return undefined;
    return { root: { k: global.root }, path: global.path.map((value) => ({ k: "const", value })) };
  }

  #pathOf(term: RefTerm, target: Target): Path {
    const base = this.asRef(term.head, target) ?? {
      root: { k: "term" as const, term: this.term(term.head, target) },
      path: [],
    };
    for (const step of term.path) base.path.push(this.term(step, target));
    return base;
  }

  /** What a call says of the rule that it stands in; undefined for calls of anything else. */
  protected annotated(callee: Callee): Simple | undefined {
    if (callee.k !== "builtin" || !callee.name.startsWith("rego.metadata.") || this.#rule === undefined)
      return undefined;
    const { annotations, module } = this.names;
    const isChain = callee.name === "rego.metadata.chain";
    const value = isChain ? annotations.chain(this.#rule, module.packagePath) : annotations.rule(this.#rule);
    return { k: "const", value };
  }

  #callTerm(name: readonly string[], args: readonly Term[], at: RegoPlace, target: Target): Simple {
    const callee = this.callee(name, args.length, at, target.scope, false);
    const known = this.annotated(callee);
    if (known !== undefined) return known;
    const simple = args.map((arg) => this.term(arg, target));
    const out: Simple = { k: "var", id: target.scope.temp() };
    this.push(target.moved, { op: "call", callee, args: simple, out });
    return out;
  }

  #list(term: ListTerm, target: Target): Simple {
    const items = term.items.map((item) => this.term(item, target));
    const values = constants(items);
    if (values === undefined) return { k: term.t, items };
    return { k: "const", value: term.t === "array" ? values : RegoSet.of(values) };
  }

  #object(term: ObjectTerm, target: Target): Simple {
    const pairs = term.pairs.map(([k, v]) => [this.term(k, target), this.term(v, target)] as const);
    const keys = constants(pairs.map(([k]) => k));
    const values = constants(pairs.map(([, v]) => v));
    if (keys === undefined || values === undefined) return { k: "object", pairs };
    return { k: "const", value: RegoObject.of(keys.map((key, i) => [key, values[i] ?? null] as const)) };
  }

  #comprehension(term: ComprehensionTerm, target: Target): number {
    const scope = new Scope(this.table, target.scope);
    const heads = term.key === undefined ? [term.value] : [term.key, term.value];
    this.open(scope, term.body, heads);
    const body: Literal[] = [];
    this.body(term.body, scope, body);
    const inside: Target = { moved: body, main: body, scope };
    const key = term.key === undefined ? undefined : this.term(term.key, inside);
    const value = this.term(term.value, inside);
    const ids = varsOf(value, literalVars(body));
    if (key !== undefined) varsOf(key, ids);
    const out = target.scope.temp();
    this.push(target.moved, { op: "compr", kind: term.kind, key, value, body, needs: this.outer(ids, scope), out });
    return out;
  }

  #template(term: TemplateTerm, target: Target): Simple {
    const items = term.parts.map((part): Simple => {
      if (typeof part === "string") return { k: "const", value: part };
      const { kind, at, withs } = part;
      if (kind.k !== "term" || part.negated) this.fail("unexpected expression in template string", at);
      const value: Term = { t: "var", name: "$part", at };
      const body: Expr = { ...part, withs, kind: { k: "assign", left: value, right: kind.term } };
      return this.term({ t: "compr", kind: "set", key: undefined, value, body: [body], at }, target);
    });
    const out: Simple = { k: "var", id: target.scope.temp() };
    const callee: Callee = { k: "builtin", name: "internal.template_string", arity: 1, relation: false };
    this.push(target.moved, { op: "call", callee, args: [{ k: "array", items }], out });
    return out;
  }
}

function constants(items: readonly Simple[]): RegoValue[] | undefined {
  const out: RegoValue[] = [];
  for (const item of items) {
    if (item.k !== "const") return undefined;
    out.push(item.value);
  }
  return out;
}
