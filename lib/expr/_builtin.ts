import type { Kind } from "./_kinds.ts";
import type { Run } from "./_run.ts";

/** A function of the language that takes values. */
export interface Builtin {
  /** Kinds of the parameters; arguments that can be seen to be of another are refused before anything runs. */
  readonly parameters: readonly Kind[];
  /** How many of the parameters have to be there. Default all. */
  readonly required?: number;
  /** Whether the last parameter may be given again and again. */
  readonly isVariadic?: boolean;
  /** Kinds that the first argument may be of; left out where all are fine. */
  readonly accepts?: readonly Kind[];
  /** What it gives, where that is always the same or not known before. */
  readonly returns: Kind;
  /** What it gives for arguments of these kinds. */
  readonly outcome?: (kinds: readonly Kind[]) => Kind;
  readonly call: (run: Run, given: readonly unknown[]) => unknown;
}

/** Functions by name. */
export type Builtins = Readonly<Record<string, Builtin>>;
