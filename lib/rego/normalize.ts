import { type Target, TermNormalizer } from "./_normal_terms.ts";
import { Scope, seePattern } from "./_scope.ts";
import type { CallTerm, Expr, ExprKind, ObjectTerm, Term, WithModifier } from "./ast.ts";
import { RegoError, type RegoPlace } from "./errors.ts";
import { arityOf, type Callee, type Literal, literalVars, type Modifier, type Simple } from "./ir.ts";
import type { RegoScalar } from "./values.ts";

/** Turns the bodies of one branch into flat literals over numbered variables. */
export class Normalizer extends TermNormalizer {
  /** The literals of a body, appended to `out`. */
  override body(exprs: readonly Expr[], scope: Scope, out: Literal[]): void {
    for (const expr of exprs) this.#expr(expr, { moved: out, main: out, scope });
  }

  /** @throws RegoError when `some` declared a variable that nothing mentions. */
  checkIdle(): void {
    const [first] = this.table.idle;
    if (first !== undefined) this.fail(`declared var ${this.table.names[first[0]]} unused`, first[1]);
  }

  #expr(expr: Expr, target: Target): void {
    const [at, text] = [this.at, this.text];
    this.at = expr.at;
    this.text = expr.text;
    if (expr.withs.length === 0) this.#negatable(expr, target);
    else this.#withs(expr, target);
    this.at = at;
    this.text = text;
  }

  #withs(expr: Expr, target: Target): void {
    const modifiers = expr.withs.map((each) => this.#modifier(each, target));
    const body: Literal[] = [];
    this.#negatable(expr, { moved: body, main: body, scope: target.scope });
    this.push(target.main, { op: "with", modifiers, body });
  }

  #negatable(expr: Expr, target: Target): void {
    if (!expr.negated) {
      this.#kind(expr.kind, target);
      return;
    }
    const scope = new Scope(this.table, target.scope);
    const body: Literal[] = [];
    if (expr.kind.k === "body") {
      this.open(scope, expr.kind.body, []);
      this.body(expr.kind.body, scope, body);
    } else if (this.names.module.scopedNot) {
      this.open(scope, [{ ...expr, negated: false, withs: [] }], []);
      this.#kind(expr.kind, { moved: body, main: body, scope });
    } else this.#kind(expr.kind, { moved: target.moved, main: body, scope: target.scope }, scope);
    this.push(target.main, { op: "not", body, needs: this.outer(literalVars(body), scope) });
  }

  #kind(kind: ExprKind, target: Target, inner = target.scope): void {
    switch (kind.k) {
      case "term":
        this.#statement(kind.term, target, inner);
        return;
      case "unify":
        this.#unify(kind.left, kind.right, target, inner);
        return;
      case "assign":
        this.#assign(kind.left, kind.right, target);
        return;
      case "some":
        for (const { name, at } of kind.vars) this.table.idle.set(this.#declare(name, at, target.scope), at);
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
    if (name === "input" || name === "data") this.fail(`variables must not shadow ${name}`, at);
    if (scope.declared.has(name)) this.fail(`var ${name} assigned above`, at);
    if (scope.implicit.has(name)) this.fail(`var ${name} referenced above`, at);
    return scope.declare(name);
  }

  #statement(term: Term, target: Target, inner: Scope): void {
    const { moved, main, scope } = target;
    if (term.t === "call") {
      this.#callStatement(term, target, inner);
      return;
    }
    const ref = this.asRef(term, { moved, main: moved, scope });
    if (ref !== undefined) {
      this.push(main, { op: "ref", ...ref, out: undefined });
      return;
    }
    this.push(main, { op: "test", term: this.term(term, { moved, main: moved, scope }) });
  }

  #callStatement({ name, args, at }: CallTerm, target: Target, inner: Scope): void {
    if (name.length === 1 && (name[0] === "equal" || name[0] === "eq") && args.length === 2) {
      const [left, right] = args;
      if (left !== undefined && right !== undefined) {
        this.#unify(left, right, target, inner);
        return;
      }
    }
    if (name.length === 1 && name[0] === "print" && this.names.global("print") === undefined) {
      this.#print(target);
      return;
    }
    const callee = this.callee(name, args.length, at, target.scope, true);
    const simple = args.map((arg) => this.term(arg, { ...target, main: target.moved }));
    const out = args.length > arityOf(callee) ? simple.pop() : undefined;
    const known = this.annotated(callee);
    if (known !== undefined && out !== undefined) {
      this.push(target.main, { op: "unify", a: known, b: out });
      return;
    }
    this.push(target.main, { op: "call", callee, args: simple, out });
  }

  /** Printing has no effect here and always holds, whatever its arguments are. */
  #print(target: Target): void {
    this.push(target.main, { op: "test", term: { k: "const", value: true } });
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
    const [a, b] = [this.asRef(left, aside), this.asRef(right, aside)];
    if (a !== undefined && b !== undefined) {
      const out: Simple = { k: "var", id: inner.temp() };
      this.push(main, { op: "ref", ...a, out });
      this.push(main, { op: "ref", ...b, out });
      return;
    }
    if (a !== undefined) {
      this.push(main, { op: "ref", ...a, out: this.term(right, aside) });
      return;
    }
    if (b !== undefined) {
      this.push(main, { op: "ref", ...b, out: this.term(left, aside) });
      return;
    }
    this.push(main, { op: "unify", a: this.term(left, aside), b: this.term(right, aside) });
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
    const ref = this.asRef(right, aside);
    const value = ref === undefined ? this.term(right, aside) : undefined;
    if (left.t !== "var" && left.t !== "array" && left.t !== "object") this.fail("cannot assign to this term", left.at);
    seePattern(left, (name) => {
      if (name !== "_") this.#declare(name, left.at, scope);
    });
    const out = this.term(left, aside);
    if (ref !== undefined) {
      this.push(main, { op: "ref", ...ref, out });
      return;
    }
    if (value !== undefined) this.push(main, { op: "unify", a: out, b: value });
  }

  #someIn(kind: ExprKind & { k: "someIn" }, target: Target): void {
    const { moved, main, scope } = target;
    const aside: Target = { moved, main: moved, scope };
    const domain = this.asRef(kind.domain, aside) ?? {
      root: { k: "term" as const, term: this.term(kind.domain, aside) },
      path: [],
    };
    const declare = (name: string) => {
      if (name !== "_") this.#declare(name, this.at, scope);
    };
    if (kind.key !== undefined) seePattern(kind.key, declare);
    seePattern(kind.value, declare);
    const key: Simple = kind.key === undefined ? { k: "var", id: scope.temp() } : this.term(kind.key, aside);
    const out = this.term(kind.value, aside);
    this.push(main, { op: "ref", root: domain.root, path: [...domain.path, key], out });
  }

  #every(kind: ExprKind & { k: "every" }, target: Target): void {
    const domain = this.term(kind.domain, { ...target, main: target.moved });
    const scope = new Scope(this.table, target.scope);
    const key = kind.key === undefined ? scope.temp() : this.#everyVar(kind.key, scope);
    const value = this.#everyVar(kind.value, scope);
    this.open(scope, kind.body, []);
    const body: Literal[] = [];
    this.body(kind.body, scope, body);
    const needs = this.outer(literalVars(body), scope);
    this.push(target.main, { op: "every", key, value, domain, body, needs });
  }

  #everyVar(term: Term, scope: Scope): number {
    if (term.t !== "var") this.fail("every expects variables before in", term.at);
    return scope.declare(term.name);
  }

  #modifier({ target, value, at }: WithModifier, place: Target): Modifier {
    const aside: Target = { ...place, main: place.moved };
    const name = dottedName(target);
    const callee = name === undefined || name[0] === "input" ? undefined : this.names.find(name);
    if (callee !== undefined) return this.#mock(callee, value, aside);
    const global = target.t === "var" || target.t === "ref" ? this.asRef(target, aside) : undefined;
    if (global === undefined || global.root.k === "term") {
      throw RegoError.at(
        "rego_type_error",
        "with keyword target must reference existing input, data, or a function",
        at,
      );
    }
    const path = global.path.map((step): RegoScalar => {
      if (step.k === "const" && (typeof step.value !== "object" || step.value === null)) return step.value;
      return this.fail("with keyword target must be ground", at);
    });
    return { k: global.root.k, path, value: this.term(value, aside) };
  }

  #mock(target: Callee, value: Term, aside: Target): Modifier {
    const name = dottedName(value);
    const local = name !== undefined && aside.scope.isDeclared(name[0] ?? "");
    const callee = name === undefined || local ? undefined : this.names.find(name);
    if (callee !== undefined) return { k: "mock", target, value: undefined, callee };
    return { k: "mock", target, value: this.term(value, aside), callee: undefined };
  }
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
