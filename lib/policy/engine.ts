import type { JsonObject } from "../std/mod.ts";

/** A function that policies may call beside the language's own. */
export interface PolicyFunction {
  readonly name: string;
  readonly arity: number;
  /** What it throws leaves the expression undefined. */
  call(args: readonly unknown[]): unknown;
}

/** What a policy said. */
export interface PolicyResult {
  /** Whether the rule that was asked for has a value. */
  defined: boolean;
  value?: unknown;
  /** What the engine can tell of how it came to that. */
  explanation?: string;
}

/** A policy that could not be compiled or evaluated. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  /** Whether the text itself is at fault, rather than the evaluation of this input. */
  readonly stage: "compile" | "evaluate";

  /** @param message The engine's own text. */
  constructor(stage: "compile" | "evaluate", message: string, options?: ErrorOptions) {
    super(message, options);
    this.stage = stage;
  }
}

/** Evaluates policies that arrive as text, in bounded time and memory. */
export interface PolicyEngine {
  /**
   * Ask a policy for the value of a rule.
   *
   * @param source Rego of either dialect.
   * @param rule For example `data.io.choria.aaasvc.allow`.
   * @throws {PolicyError} whatever is wrong with the policy; nothing else.
   */
  evaluate(source: string, rule: string, input: JsonObject, functions: readonly PolicyFunction[]): PolicyResult;
}
