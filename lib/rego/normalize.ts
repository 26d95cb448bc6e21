import type { Names } from "./_names.ts";
import { Scope, seePattern, type VarTable } from "./_scope.ts";
import type {
  ComprehensionTerm,
  Expr,
  ExprKind,
  ListTerm,
  ObjectTerm,
  RefTerm,
  TemplateTerm,
  Term,
  WithModifier,
} from "./ast.ts";
import { RegoError, type RegoPlace } from "./errors.ts";
import {
  type Callee,
  type Literal,
  type LiteralKind,
  literalVars,
  type Modifier,
  type RefRoot,
  type Simple,
  varsOf,
} from "./ir.ts";
import { RegoObject, type RegoScalar, RegoSet, type RegoValue } from "./values.ts";

/** A reference taken apart. */
interface Path {
  root: RefRoot;
  path: Simple[];
}

/** Where the literals of an expression go: what is moved out of it, and the expression itself. */
interface Target {
  readonly moved: Literal[];
  readonly main: Literal[];
  readonly scope: Scope;
}

/** Turns the bodies of one branch into flat literals over numbered variables. */
export class Normalizer {
  readonly #names: Names;
  readonly #table: VarTable;
  #at: RegoPlace;
  #text = "";

  constructor(names: Names, table: VarTable, at: RegoPlace) {
    this.#names = names;
    this.#table = table;
    this.#at = at;
  }

  /** The literals of a body, appended to `out`. */
  body(exprs: readonly Expr[], scope: Scope, out: Literal[]): void {
    for (const expr of exprs) this.#expr(expr, { moved: out, main: out, scope });
  }

  /** Prepares a scope for a body and the head terms that see its variables. */
  open(scope: Scope, exprs: readonly Expr[], heads: readonly Term[]): void {
    scope.collect(exprs, heads, (name) => this.#names.global(name) !== undefined);
  }

  /** A literal that binds a term's value to a pattern, for heads and arguments. */
  match(pattern: Simple, term: Term, scope: Scope, out: Literal[]): void {
    const b = this.term(term, { moved: out, main: out, scope });
    this.#push(out, { op: "unify", a: pattern, b });
  }

  /** @throws RegoError when `some` declared a variable that nothing mentions. */
  checkIdle(): void {
    const [first] = this.#table.idle;
    if (first !== undefined) this.#fail(`declared var ${this.#table.names[first[0]]} unused`, first[1]);
  }

  #push(into: Literal[], literal: LiteralKind): void {
    into.push({ ...literal, at: this.#at, text: this.#text });
  }

  #fail(message: string, at: RegoPlace): never {
    throw RegoError.at("rego_compile_error", message, at);
  }

  #expr(expr: Expr, target: Target): void {
    const [at, text] = [this.#at, this.#text];
    this.#at = expr.at;
    this.#text = expr.text;
    if (expr.withs.length === 0) this.#negatable(expr, target);
    else this.#withs(expr, target);
    this.#at = at;
    this.#text = text;
  }

  #withs(expr: Expr, target: Target): void {
    const modifiers = expr.withs.map((each) => this.#modifier(each, target));
    const body: Literal[] = [];
    this.#negatable(expr, { moved: body, main: body, scope: target.scope });
    this.#push(target.main, { op: "with", modifiers, body });
  }

  #negatable(expr: Expr, target: Target): void {
    if (!expr.negated) {
      this.#kind(expr.kind, target);
      return;
    }
    const scope = new Scope(this.#table, target.scope);
    const body: Literal[] = [];
    if (expr.kind.k === "body") {
      this.open(scope, expr.kind.body, []);
      this.body(expr.kind.body, scope, body);
    } else if (this.#names.module.scopedNot) {
      this.open(scope, [{ ...expr, negated: false, withs: [] }], []);
      this.#kind(expr.kind, { moved: body, main: body, scope });
    } else this.#kind(expr.kind, { moved: target.moved, main: body, scope: target.scope }, scope);
    this.#push(target.main, { op: "not", body, needs: this.#outer(literalVars(body), scope) });
  }

  /** The variables among these that live outside of a scope. */
  #outer(ids: Iterable<number>, scope: Scope): number[] {
    return [...ids].filter((id) => (this.#table.depths[id] ?? 0) < scope.depth);
  }

  #kind(kind: ExprKind, target: Target, inner = target.scope): void {
    switch (kind.k) {
      case "term":
        this.#statement(kind.term, target);
        return;
      case "unify":
        this.#unify(kind.left, kind.right, target, inner);
        return;
      case "assign":
        this.#assign(kind.left, kind.right, target);
        return;
      case "some":
        for (const { name, at } of kind.vars) this.#table.idle.set(this.#declare(name, at, target.scope), at);
        return;
      case "someIn":
        this.#someIn(kind, target);
        return;
      case "every":
        this.#every(kind, target);
        return;
      case "body":
        this.body(kind.body, target.scope, target.main);
        return;
    }
  }

  #declare(name: string, at: RegoPlace, scope: Scope): number {
    if (name === "input" || name === "data") this.#fail(`variables must not shadow ${name}`, at);
    if (scope.declared.has(name)) this.#fail(`var ${name} assigned above`, at);
    if (scope.implicit.has(name)) this.#fail(`var ${name} referenced above`, at);
    return scope.declare(name);
  }

  #statement(term: Term, target: Target): void {
    const { moved, main, scope } = target;
    if (term.t === "call") {
      this.#callStatement(term.name, term.args, term.at, target);
      return;
    }
    const ref = this.#asRef(term, { moved, main: moved, scope });
    if (ref !== undefined) {
      this.#push(main, { op: "ref", ...ref, out: undefined });
      return;
    }
    this.#push(main, { op: "test", term: this.term(term, { moved, main: moved, scope }) });
  }

  #callStatement(name: readonly string[], args: readonly Term[], at: RegoPlace, target: Target): void {
    if (name.length === 1 && (name[0] === "equal" || name[0] === "eq") && args.length === 2) {
      const [left, right] = args;
      if (left !== undefined && right !== undefined) {
        this.#unify(left, right, target, target.scope);
        return;
      }
    }
    if (name.length === 1 && name[0] === "print" && this.#names.global("print") === undefined) {
      this.#print(target);
      return;
    }
    const callee = this.#callee(name, args.length, at, target.scope, true);
    const simple = args.map((arg) => this.term(arg, { ...target, main: target.moved }));
    const out = args.length > arityOf(callee) ? simple.pop() : undefined;
    this.#push(target.main, { op: "call", callee, args: simple, out });
  }

  /** Printing has no effect here and always holds, whatever its arguments are. */
  #print(target: Target): void {
    this.#push(target.main, { op: "test", term: { k: "const", value: true } });
  }

  #callee(name: readonly string[], given: number, at: RegoPlace, scope: Scope, statement: boolean): Callee {
    const [first = ""] = name;
    const callee = scope.find(first) === undefined ? this.#names.callee(name, at) : undefined;
    if (callee === undefined) throw RegoError.at("rego_type_error", `undefined function ${name.join(".")}`, at);
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
    const ref = this.#asRef(term, target);
    if (ref === undefined) return { k: "var", id: target.scope.mention(term.t === "var" ? term.name : "") };
    const out: Simple = { k: "var", id: target.scope.temp() };
    this.#push(target.moved, { op: "ref", ...ref, out });
    return out;
  }

  /** A reference, or a name that stands for a document, taken apart; undefined for any other term. */
  #asRef(term: Term, target: Target): Path | undefined {
    if (term.t === "ref") return this.#pathOf(term, target);
    if (term.t !== "var" || term.name === "_" || target.scope.find(term.name) !== undefined) return undefined;
    const global = this.#names.global(term.name);
    if (global === undefined) return undefined;
    return { root: { k: global.root }, path: global.path.map((value) => ({ k: "const", value })) };
  }

  #pathOf(term: RefTerm, target: Target): Path {
    const base = this.#asRef(term.head, target) ?? {
      root: { k: "term" as const, term: this.term(term.head, target) },
      path: [],
    };
    for (const step of term.path) base.path.push(this.term(step, target));
    return base;
  }

  #callTerm(name: readonly string[], args: readonly Term[], at: RegoPlace, target: Target): Simple {
    const callee = this.#callee(name, args.length, at, target.scope, false);
    const simple = args.map((arg) => this.term(arg, target));
    const out: Simple = { k: "var", id: target.scope.temp() };
    this.#push(target.moved, { op: "call", callee, args: simple, out });
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
    const scope = new Scope(this.#table, target.scope);
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
    this.#push(target.moved, { op: "compr", kind: term.kind, key, value, body, needs: this.#outer(ids, scope), out });
    return out;
  }

  #template(term: TemplateTerm, target: Target): Simple {
    const items = term.parts.map((part): Simple => {
      if (typeof part === "string") return { k: "const", value: part };
      const { kind, at, withs } = part;
      if (kind.k !== "term" || part.negated) this.#fail("unexpected expression in template string", at);
      const value: Term = { t: "var", name: "$part", at };
      const body: Expr = { ...part, withs, kind: { k: "assign", left: value, right: kind.term } };
      return this.term({ t: "compr", kind: "set", key: undefined, value, body: [body], at }, target);
    });
    const out: Simple = { k: "var", id: target.scope.temp() };
    const callee: Callee = { k: "builtin", name: "internal.template_string", arity: 1, relation: false };
    this.#push(target.moved, { op: "call", callee, args: [{ k: "array", items }], out });
    return out;
  }

  #unify(left: Term, right: Term, target: Target, inner: Scope): void {
    if (left.t === "array" && right.t === "array" && left.items.length === right.items.length) {
      for (const [i, item] of left.items.entries()) {
        const other = right.items[i];
        if (other !== undefined) this.#unify(item, other, target, inner);
      }
      return;
    }
    if (left.t === "object" && right.t === "object" && this.#pairwise(left, right, target, inner)) return;
    const { moved, main, scope } = target;
    const aside: Target = { moved, main: moved, scope };
    const [a, b] = [this.#asRef(left, aside), this.#asRef(right, aside)];
    if (a !== undefined && b !== undefined) {
      const out: Simple = { k: "var", id: inner.temp() };
      this.#push(main, { op: "ref", ...a, out });
      this.#push(main, { op: "ref", ...b, out });
      return;
    }
    if (a !== undefined) {
      this.#push(main, { op: "ref", ...a, out: this.term(right, aside) });
      return;
    }
    if (b !== undefined) {
      this.#push(main, { op: "ref", ...b, out: this.term(left, aside) });
      return;
    }
    this.#push(main, { op: "unify", a: this.term(left, aside), b: this.term(right, aside) });
  }

  /** Unifies two object literals with the same constant keys value by value. */
  #pairwise(left: ObjectTerm, right: ObjectTerm, target: Target, inner: Scope): boolean {
    const keyed = (term: ObjectTerm) => {
      const map = new Map<RegoScalar, Term>();
      for (const [key, value] of term.pairs) if (key.t === "scalar") map.set(key.value, value);
      return map.size === term.pairs.length ? map : undefined;
    };
    const [a, b] = [keyed(left), keyed(right)];
    if (a === undefined || b === undefined || a.size !== b.size || [...a.keys()].some((key) => !b.has(key)))
      return false;
    for (const [key, value] of a) {
      const other = b.get(key);
      if (other !== undefined) this.#unify(value, other, target, inner);
    }
    return true;
  }

  #assign(left: Term, right: Term, target: Target): void {
    const { moved, main, scope } = target;
    const aside: Target = { moved, main: moved, scope };
    const ref = this.#asRef(right, aside);
    const value = ref === undefined ? this.term(right, aside) : undefined;
    if (left.t !== "var" && left.t !== "array" && left.t !== "object")
      this.#fail("cannot assign to this term", left.at);
    seePattern(left, (name) => {
      if (name !== "_") this.#declare(name, left.at, scope);
    });
    const out = this.term(left, aside);
    if (ref !== undefined) {
      this.#push(main, { op: "ref", ...ref, out });
      return;
    }
    if (value !== undefined) this.#push(main, { op: "unify", a: out, b: value });
  }

  #someIn(kind: ExprKind & { k: "someIn" }, target: Target): void {
    const { moved, main, scope } = target;
    const aside: Target = { moved, main: moved, scope };
    const domain = this.#asRef(kind.domain, aside) ?? {
      root: { k: "term" as const, term: this.term(kind.domain, aside) },
      path: [],
    };
    const declare = (name: string) => {
      if (name !== "_") this.#declare(name, this.#at, scope);
    };
    if (kind.key !== undefined) seePattern(kind.key, declare);
    seePattern(kind.value, declare);
    const key: Simple = kind.key === undefined ? { k: "var", id: scope.temp() } : this.term(kind.key, aside);
    const out = this.term(kind.value, aside);
    this.#push(main, { op: "ref", root: domain.root, path: [...domain.path, key], out });
  }

  #every(kind: ExprKind & { k: "every" }, target: Target): void {
    const domain = this.term(kind.domain, { ...target, main: target.moved });
    const scope = new Scope(this.#table, target.scope);
    const key = kind.key === undefined ? scope.temp() : this.#everyVar(kind.key, scope);
    const value = this.#everyVar(kind.value, scope);
    this.open(scope, kind.body, []);
    const body: Literal[] = [];
    this.body(kind.body, scope, body);
    const needs = this.#outer(literalVars(body), scope);
    this.#push(target.main, { op: "every", key, value, domain, body, needs });
  }

  #everyVar(term: Term, scope: Scope): number {
    if (term.t !== "var") this.#fail("every expects variables before in", term.at);
    return scope.declare(term.name);
  }

  #modifier({ target, value, at }: WithModifier, place: Target): Modifier {
    const aside: Target = { ...place, main: place.moved };
    const name = dottedName(target);
    const callee = name === undefined || name[0] === "input" ? undefined : this.#names.find(name);
    if (callee !== undefined) return this.#mock(callee, value, aside);
    const global = target.t === "var" || target.t === "ref" ? this.#asRef(target, aside) : undefined;
    if (global === undefined || global.root.k === "term") {
      throw RegoError.at(
        "rego_type_error",
        "with keyword target must reference existing input, data, or a function",
        at,
      );
    }
    const path = global.path.map((step): RegoScalar => {
      if (step.k === "const" && (typeof step.value !== "object" || step.value === null)) return step.value;
      return this.#fail("with keyword target must be ground", at);
    });
    return { k: global.root.k, path, value: this.term(value, aside) };
  }

  #mock(target: Callee, value: Term, aside: Target): Modifier {
    const name = dottedName(value);
    const local = name !== undefined && aside.scope.isDeclared(name[0] ?? "");
    const callee = name === undefined || local ? undefined : this.#names.find(name);
    if (callee !== undefined) return { k: "mock", target, value: undefined, callee };
    return { k: "mock", target, value: this.term(value, aside), callee: undefined };
  }
}

/** Number of arguments a function takes. */
export function arityOf(callee: Callee): number {
  return callee.k === "rule" ? callee.group.arity : callee.arity;
}

function constants(items: readonly Simple[]): RegoValue[] | undefined {
  const out: RegoValue[] = [];
  for (const item of items) {
    if (item.k !== "const") return undefined;
    out.push(item.value);
  }
  return out;
}

function dottedName(term: Term): string[] | undefined {
  if (term.t === "var") return [term.name];
  if (term.t !== "ref" || term.head.t !== "var") return undefined;
  const out = [term.head.name];
  for (const step of term.path) {
    if (step.t !== "scalar" || typeof step.value !== "string") return undefined;
    out.push(step.value);
  }
  return out;
}
