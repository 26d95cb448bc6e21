import { LruMap } from "../std/mod.ts";
import { compileExpr, type Expr, type ExprOptions } from "./expr.ts";

/** Compiled expressions of one purpose, the least recently used forgotten first. */
export class ExprCache {
  readonly #options: ExprOptions;
  readonly #compiled: LruMap<string, Expr>;

  /**
   * @param options What all expressions are compiled for.
   * @param max How many are kept. Default 100.
   */
  constructor(options: ExprOptions = {}, max = 100) {
    this.#options = options;
    this.#compiled = new LruMap(max);
  }

  /** How many expressions are kept. */
  get size(): number {
    return this.#compiled.size;
  }

  /**
   * An expression, compiled when it is not known.
   * @throws {ExprError} when it cannot be compiled; failures are not kept.
   */
  get(source: string): Expr {
    const known = this.#compiled.get(source);
    if (known !== undefined) return known;
    const compiled = compileExpr(source, this.#options);
    this.#compiled.set(source, compiled);
    return compiled;
  }
}
