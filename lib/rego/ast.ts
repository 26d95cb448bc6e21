import type { RegoPlace } from "./errors.ts";
import type { RegoScalar } from "./values.ts";

/** The two dialects of the language: before 1.0 and since. */
export type RegoDialect = "v0" | "v1";

/** A term: anything that stands for a value. */
export type Term = ScalarTerm | VarTerm | RefTerm | CallTerm | ListTerm | ObjectTerm | ComprehensionTerm | TemplateTerm;

/** A literal null, boolean, number or string. */
export interface ScalarTerm {
  readonly t: "scalar";
  readonly value: RegoScalar;
  readonly at: RegoPlace;
}

/** A name; `_` is a new variable each time. */
export interface VarTerm {
  readonly t: "var";
  readonly name: string;
  readonly at: RegoPlace;
}

/** A path into something: `head.a[b]`. */
export interface RefTerm {
  readonly t: "ref";
  readonly head: Term;
  readonly path: readonly Term[];
  readonly at: RegoPlace;
}

/** A call; infix operators are calls of the functions they are named for. */
export interface CallTerm {
  readonly t: "call";
  readonly name: readonly string[];
  readonly args: readonly Term[];
  readonly at: RegoPlace;
  readonly infix: boolean;
}

/** An array or set literal. */
export interface ListTerm {
  readonly t: "array" | "set";
  readonly items: readonly Term[];
  readonly at: RegoPlace;
}

/** An object literal. */
export interface ObjectTerm {
  readonly t: "object";
  readonly pairs: readonly (readonly [Term, Term])[];
  readonly at: RegoPlace;
}

/** An array, set or object comprehension. */
export interface ComprehensionTerm {
  readonly t: "compr";
  readonly kind: "array" | "set" | "object";
  readonly key: Term | undefined;
  readonly value: Term;
  readonly body: readonly Expr[];
  readonly at: RegoPlace;
}

/** An interpolated string: texts and expressions in turn. */
export interface TemplateTerm {
  readonly t: "template";
  readonly parts: readonly (string | Expr)[];
  readonly at: RegoPlace;
}

/** `with target as value`. */
export interface WithModifier {
  readonly target: Term;
  readonly value: Term;
  readonly at: RegoPlace;
}

/** What an expression of a body says, before negation and modifiers. */
export type ExprKind =
  | { readonly k: "term"; readonly term: Term }
  | { readonly k: "unify" | "assign"; readonly left: Term; readonly right: Term }
  | { readonly k: "some"; readonly vars: readonly VarTerm[] }
  | { readonly k: "someIn"; readonly key: Term | undefined; readonly value: Term; readonly domain: Term }
  | {
      readonly k: "every";
      readonly key: Term | undefined;
      readonly value: Term;
      readonly domain: Term;
      readonly body: readonly Expr[];
    }
  | { readonly k: "body"; readonly body: readonly Expr[] };

/** One expression of a body. */
export interface Expr {
  readonly kind: ExprKind;
  readonly negated: boolean;
  readonly withs: readonly WithModifier[];
  readonly at: RegoPlace;
  readonly text: string;
}

/** One alternative of a rule: its value and the body that must hold; `orElse` is tried when it does not. */
export interface RuleBranch {
  readonly value: Term | undefined;
  readonly body: readonly Expr[];
  readonly at: RegoPlace;
}

/** A rule as written. */
export interface Rule {
  readonly isDefault: boolean;
  readonly name: readonly Term[];
  readonly args: readonly Term[] | undefined;
  readonly contains: Term | undefined;
  readonly branches: readonly RuleBranch[];
  readonly at: RegoPlace;
}

/** An import that brings a name. */
export interface Import {
  readonly path: readonly string[];
  readonly alias: string;
  readonly at: RegoPlace;
}

/** A parsed policy text. */
export interface Module {
  readonly filename: string;
  readonly dialect: RegoDialect;
  readonly packagePath: readonly string[];
  readonly imports: readonly Import[];
  readonly rules: readonly Rule[];
  readonly scopedNot: boolean;
  readonly source: string;
  /** Row of the word `package`. */
  readonly packageRow: number;
}
