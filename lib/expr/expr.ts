import type { Step } from "./_compiled.ts";
import { Compiler } from "./_compiler.ts";
import { type Kind, kindName, mayBe, typeName } from "./_kinds.ts";
import { parse } from "./_parser.ts";
import { type ExprEnv, type ExprLimits, Run } from "./_run.ts";
import type { ExprSignature } from "./_steps.ts";
import { ExprError } from "./error.ts";

/** What an expression is compiled for. */
export interface ExprOptions {
  /** Functions that will be among the data, by name. They come before those of the language. */
  functions?: Readonly<Record<string, ExprSignature>>;
  /** Variables that will be among the data, and of what kind they are. */
  variables?: Readonly<Record<string, Kind>>;
  /** Whether names that are not declared are nil instead of an error. Default false. */
  allowUndefined?: boolean;
  /** Whether the expression has to give true or false. Default false. */
  boolean?: boolean;
}

/** How an expression is evaluated. */
export interface EvaluateOptions {
  /** What the evaluation may ask for. */
  limits?: ExprLimits;
  /** Milliseconds since the epoch, what `now()` says. Default the machine's clock. */
  now?: () => number;
}

/**
 * Compile an expression of the Expr language (expr-lang.org, version 1.17).
 *
 * Whole numbers are bigints of 64 bits and others are numbers, in the data as in the outcome. Nil is null, lists are
 * arrays, maps are plain objects; what groupBy and fromPairs give is a Map.
 *
 * @throws {ExprError} where the text is none of the language, a name is unknown, or kinds do not go together.
 */
export function compileExpr(source: string, options: ExprOptions = {}): Expr {
  return new Expr(source, options);
}

/** A compiled expression; it can be evaluated any number of times. */
export class Expr {
  /** The expression as it was given. */
  readonly source: string;
  readonly #step: Step;
  readonly #isBoolean: boolean;

  /** @throws {ExprError} as {@link compileExpr} does. */
  constructor(source: string, options: ExprOptions) {
    const { functions = {}, variables = {}, allowUndefined = false, boolean = false } = options;
    this.source = source;
    this.#isBoolean = boolean;
    const compiler = new Compiler({ source, functions, variables, allowsUndefined: allowUndefined });
    const { kind, step } = compiler.compile(parse(source));
    if (boolean && !mayBe(kind, "bool")) throw new ExprError(`expected bool, but got ${kindName(kind)}`);
    this.#step = step;
  }

  /**
   * The value of the expression; of one that has to be boolean true or false, where nil is false.
   *
   * @param env Variables and functions by name.
   * @throws {ExprError} when it has no value, a function among the data fails, or the outcome should be a boolean
   * and is not; an ExprLimitError when it asks for more than it may.
   */
  evaluate(env: ExprEnv = {}, { limits = {}, now = Date.now }: EvaluateOptions = {}): unknown {
    const run = new Run(this.source, env, { limits, now });
    const value = this.#run(run) ?? null;
    if (!this.#isBoolean || typeof value === "boolean") return value;
    if (value === null) return false;
    run.at = 0;
    throw run.error(`invalid operation: bool(${typeName(value)})`);
  }

  /**
   * Whether the expression holds.
   * @throws {ExprError} as {@link Expr.evaluate} does, and when the outcome is neither true, false nor nil.
   */
  test(env: ExprEnv = {}, options: EvaluateOptions = {}): boolean {
    const value = this.evaluate(env, options);
    if (typeof value === "boolean" || value === null) return value === true;
    throw new ExprError(`expected bool, but got ${typeName(value)}`);
  }

  #run(run: Run): unknown {
    try {
      return this.#step(run);
    } catch (error) {
      throw error instanceof ExprError ? error : run.wrap(error);
    }
  }
}
