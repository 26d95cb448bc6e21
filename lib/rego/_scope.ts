import type { Expr, Term } from "./ast.ts";
import type { RegoPlace } from "./errors.ts";

/** The variables of one branch of a rule, by number. */
export class VarTable {
  readonly names: string[] = [];
  readonly depths: number[] = [];
  /** Variables that `some` declared and nothing has mentioned yet, with their places. */
  readonly idle = new Map<number, RegoPlace>();

  add(name: string, depth: number): number {
    this.names.push(name);
    this.depths.push(depth);
    return this.names.length - 1;
  }
}

/** The names that a body, and the bodies around it, can see. */
export class Scope {
  readonly table: VarTable;
  readonly parent: Scope | undefined;
  readonly depth: number;
  readonly declared = new Map<string, number>();
  readonly implicit = new Map<string, number>();

  constructor(table: VarTable, parent?: Scope) {
    this.table = table;
    this.parent = parent;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }

  declare(name: string): number {
    const id = this.table.add(name, this.depth);
    if (name !== "_") this.declared.set(name, id);
    return id;
  }

  temp(): number {
    return this.table.add("", this.depth);
  }

  /** The variable a name stands for here, if it was mentioned or declared in reach. */
  find(name: string): number | undefined {
    const own = this.declared.get(name) ?? this.implicit.get(name);
    if (own === undefined) return this.parent?.find(name);
    this.table.idle.delete(own);
    return own;
  }

  /** Whether a name was declared in reach, not only mentioned. */
  isDeclared(name: string): boolean {
    return this.declared.has(name) || this.parent?.isDeclared(name) === true;
  }

  mention(name: string): number {
    const id = this.table.add(name, this.depth);
    this.implicit.set(name, id);
    return id;
  }

  /** Notes the names that a body mentions itself (outside comprehensions and the like) without declaring them. */
  collect(body: readonly Expr[], heads: readonly Term[], isGlobal: (name: string) => boolean): void {
    const declared = new Set<string>();
    const see = (name: string) => {
      if (name !== "_" && !declared.has(name) && this.find(name) === undefined && !isGlobal(name)) this.mention(name);
    };
    for (const expr of body) seeExpr(expr, see, (name) => declared.add(name));
    for (const head of heads) seeTerm(head, see);
  }
}

type See = (name: string) => void;

function seeExpr(expr: Expr, see: See, declare: See): void {
  const { kind } = expr;
  for (const { value, target } of expr.withs) {
    seeTerm(value, see);
    if (target.t === "ref") for (const step of target.path) seeTerm(step, see);
  }
  switch (kind.k) {
    case "term":
      seeTerm(kind.term, see);
      return;
    case "unify":
      seeTerm(kind.left, see);
      seeTerm(kind.right, see);
      return;
    case "assign":
      seeTerm(kind.right, see);
      seePattern(kind.left, declare);
      return;
    case "some":
      for (const each of kind.vars) declare(each.name);
      return;
    case "someIn":
      seeTerm(kind.domain, see);
      if (kind.key !== undefined) seePattern(kind.key, declare);
      seePattern(kind.value, declare);
      return;
    case "every":
      seeTerm(kind.domain, see);
      return;
    case "body":
      return;
  }
}

/** Calls back with every variable of a pattern. */
export function seePattern(term: Term, declare: See): void {
  switch (term.t) {
    case "var":
      declare(term.name);
      return;
    case "array":
      for (const item of term.items) seePattern(item, declare);
      return;
    case "object":
      for (const [, value] of term.pairs) seePattern(value, declare);
      return;
  }
}

function seeTerm(term: Term, see: See): void {
  switch (term.t) {
    case "var":
      see(term.name);
      return;
    case "ref":
      seeTerm(term.head, see);
      for (const step of term.path) seeTerm(step, see);
      return;
    case "call":
      for (const arg of term.args) seeTerm(arg, see);
      return;
    case "array":
    case "set":
      for (const item of term.items) seeTerm(item, see);
      return;
    case "object":
      for (const pair of term.pairs) for (const each of pair) seeTerm(each, see);
      return;
    case "template":
    case "compr":
    case "scalar":
      return;
  }
}
