import type { Kind } from "./_kinds.ts";
import type { Run } from "./_run.ts";

/** Computes a value. */
export type Step = (run: Run) => unknown;

/** A node made ready: how to compute it, and what is known of the outcome. */
export interface Compiled {
  readonly kind: Kind;
  readonly step: Step;
}

/** An expression of a predicate, and the places where it finds the element, its index and the accumulator. */
export interface CompiledPredicate extends Compiled {
  readonly item: number;
  readonly index: number;
  readonly accumulator: number;
  /** Offset of the function it is given to. */
  readonly at: number;
  /** Work of one application. */
  readonly cost: number;
}
