import type { Module, Rule, Term } from "./ast.ts";
import type { RegoPlace } from "./errors.ts";
import type { RegoScalar, RegoValue } from "./values.ts";

/** A term whose references and calls were moved out: constants, variables and what is built of them. */
export type Simple =
  | { readonly k: "const"; readonly value: RegoValue }
  | { readonly k: "var"; readonly id: number }
  | { readonly k: "array" | "set"; readonly items: readonly Simple[] }
  | { readonly k: "object"; readonly pairs: readonly (readonly [Simple, Simple])[] };

/** What a reference starts from. */
export type RefRoot = { readonly k: "input" } | { readonly k: "data" } | { readonly k: "term"; readonly term: Simple };

/** What a call calls. */
export type Callee =
  | { readonly k: "builtin"; readonly name: string; readonly arity: number; readonly relation: boolean }
  | { readonly k: "custom"; readonly name: string; readonly arity: number }
  | { readonly k: "rule"; readonly group: RuleGroup };

/** One `with` modifier. */
export type Modifier =
  | { readonly k: "input" | "data"; readonly path: readonly RegoScalar[]; readonly value: Simple }
  | {
      readonly k: "mock";
      readonly target: Callee;
      readonly value: Simple | undefined;
      readonly callee: Callee | undefined;
    };

/** A step of a body after normalisation. */
export type Literal = LiteralKind & { readonly at: RegoPlace; readonly text: string };

/** The kinds of step. */
export type LiteralKind =
  | { readonly op: "unify"; readonly a: Simple; readonly b: Simple }
  | {
      readonly op: "ref";
      readonly root: RefRoot;
      readonly path: readonly Simple[];
      /** Pattern the value must match; without one the value must not be false. */
      readonly out: Simple | undefined;
    }
  | {
      readonly op: "call";
      readonly callee: Callee;
      readonly args: readonly Simple[];
      readonly out: Simple | undefined;
    }
  | { readonly op: "test"; readonly term: Simple }
  | {
      readonly op: "compr";
      readonly kind: "array" | "set" | "object";
      readonly key: Simple | undefined;
      readonly value: Simple;
      readonly body: readonly Literal[];
      readonly needs: readonly number[];
      readonly out: number;
    }
  | { readonly op: "not"; readonly body: readonly Literal[]; readonly needs: readonly number[] }
  | {
      readonly op: "every";
      readonly key: number;
      readonly value: number;
      readonly domain: Simple;
      readonly body: readonly Literal[];
      readonly needs: readonly number[];
    }
  | { readonly op: "with"; readonly modifiers: readonly Modifier[]; readonly body: readonly Literal[] };

/** A body with its head, ready to be linked: literals in the order they run. */
export interface Branch {
  readonly literals: readonly Literal[];
  readonly value: Simple;
  /** Path below the group: constants and variables; the element of a multi-value rule is `value`. */
  readonly path: readonly Simple[];
  readonly contains: boolean;
  /** Number of variables; the first ones are the arguments. */
  readonly slots: number;
  readonly at: RegoPlace;
}

/** A document or function that a rule needs. */
export type Need = { readonly path: readonly Simple[] } | { readonly group: RuleGroup };

/** A comparison of a field of the input with a constant. */
export interface Condition {
  readonly path: readonly RegoScalar[];
  readonly value: RegoScalar;
}

/** What is known of a rule without resolving its bodies. */
export interface Sketch {
  readonly needs: readonly Need[];
  /** What it says where that is one constant. */
  readonly constant: RegoScalar | undefined;
  /** Comparisons without which it cannot hold. */
  conditions(): Condition[];
}

/** A rule: branches tried in turn until one holds. */
export interface RuleDef {
  readonly isDefault: boolean;
  /** Resolved when they are first asked for where there is a sketch. */
  readonly branches: readonly Branch[];
  readonly sketch: Sketch | undefined;
  readonly arity: number;
  readonly at: RegoPlace;
}

/** What the rules of a group make: one value, a function, a set, or an object with computed keys. */
export type GroupKind = "complete" | "function" | "set" | "partial";

/** A rule with its module and the part of its name that is computed. */
export interface PlacedRule {
  readonly rule: Rule;
  readonly module: Module;
  /** Name below the group: constant and computed steps. */
  suffix: readonly Term[];
}

/** All rules that together define one document. */
export interface RuleGroup {
  readonly id: number;
  readonly keys: readonly RegoScalar[];
  readonly kind: GroupKind;
  readonly arity: number;
  readonly at: RegoPlace;
  readonly placed: readonly PlacedRule[];
  /** Filled when the bodies are resolved. */
  defs: readonly RuleDef[];
}

/** Number of arguments a function takes. */
export function arityOf(callee: Callee): number {
  return callee.k === "rule" ? callee.group.arity : callee.arity;
}

/** The ids of the variables in a term. */
export function varsOf(term: Simple, into: Set<number> = new Set()): Set<number> {
  switch (term.k) {
    case "var":
      into.add(term.id);
      break;
    case "array":
    case "set":
      for (const item of term.items) varsOf(item, into);
      break;
    case "object":
      for (const [key, value] of term.pairs) {
        varsOf(key, into);
        varsOf(value, into);
      }
      break;
  }
  return into;
}

/** The ids of the variables in a list of literals, nested ones included. */
export function literalVars(literals: readonly Literal[], into: Set<number> = new Set()): Set<number> {
  for (const literal of literals) {
    switch (literal.op) {
      case "unify":
        varsOf(literal.a, into);
        varsOf(literal.b, into);
        break;
      case "ref":
        if (literal.root.k === "term") varsOf(literal.root.term, into);
        for (const step of literal.path) varsOf(step, into);
        if (literal.out !== undefined) varsOf(literal.out, into);
        break;
      case "call":
        for (const arg of literal.args) varsOf(arg, into);
        if (literal.out !== undefined) varsOf(literal.out, into);
        break;
      case "test":
        varsOf(literal.term, into);
        break;
      case "with":
        for (const modifier of literal.modifiers) if (modifier.value !== undefined) varsOf(modifier.value, into);
        literalVars(literal.body, into);
        break;
      case "every":
        varsOf(literal.domain, into);
        for (const id of literal.needs) into.add(id);
        break;
      case "compr":
        into.add(literal.out);
        for (const id of literal.needs) into.add(id);
        break;
      case "not":
        for (const id of literal.needs) into.add(id);
        break;
    }
  }
  return into;
}
