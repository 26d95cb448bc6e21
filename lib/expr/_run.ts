import { compileRe2, type Re2, Re2Error, type WorkMeter } from "../re2/mod.ts";
import { errorText } from "../std/mod.ts";
import { ExprError, ExprLimitError } from "./error.ts";

/** How much an evaluation may ask for. */
export interface ExprLimits {
  /** Operations, and values looked at. Default 1,000,000. */
  steps?: number;
  /** Values and characters made: a value counts one, a text one for 16 characters. Default 1,000,000. */
  memory?: number;
  /** Milliseconds. Default 500. */
  timeMs?: number;
}

/** What the names of an expression stand for; functions are called by name. */
export type ExprEnv = Readonly<Record<string, unknown>>;

const defaults: Required<ExprLimits> = { steps: 1_000_000, memory: 1_000_000, timeMs: 500 };
const stepsPerLook = 2_048;
/** Deepest value that is walked through. */
const maxDepth = 500;

/** One evaluation: its data, where it stands, and what it may still use. */
export class Run {
  readonly env: ExprEnv;
  /** Variables, elements and accumulators, each at its own place. */
  readonly slots: unknown[] = [];
  /** Milliseconds since the epoch, for `now()`. */
  readonly now: () => number;
  /** Counts the work of regular expressions. */
  readonly meter: WorkMeter = (work) => this.spend(work >> 3);
  /** Offset of what is being evaluated; errors blame it. */
  at = 0;
  readonly #source: string;
  readonly #limits: Required<ExprLimits>;
  readonly #started = performance.now();
  #steps = 0;
  #nextLook = stepsPerLook;
  #memory = 0;
  #depth = 0;

  constructor(source: string, env: ExprEnv, options: { limits: ExprLimits; now: () => number }) {
    this.#source = source;
    this.env = env;
    this.now = options.now;
    this.#limits = { ...defaults, ...options.limits };
  }

  /** Account for so many operations. */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#limits.steps) this.#stop(`more than ${this.#limits.steps} steps`);
    if (this.#steps < this.#nextLook) return;
    this.#nextLook = this.#steps + stepsPerLook;
    if (performance.now() - this.#started > this.#limits.timeMs) this.#stop(`more than ${this.#limits.timeMs} ms`);
  }

  /** Account for so many values made. */
  allot(values: number): void {
    this.#memory += values;
    if (this.#memory > this.#limits.memory) throw this.limit("memory budget exceeded");
    this.spend(values);
  }

  /** Account for a text that was made, and give it back. */
  text(made: string): string {
    this.allot(made.length >> 4);
    return made;
  }

  /** Account for a list that was made, and give it back. */
  list<T>(made: T[]): T[] {
    this.allot(made.length);
    return made;
  }

  /** Walk one level down into a value. */
  deeper<T>(walk: () => T): T {
    this.spend(1);
    if (++this.#depth > maxDepth) throw this.limit("value is nested too deeply");
    const result = walk();
    this.#depth--;
    return result;
  }

  /** The error that blames the current place. */
  error(reason: string, options?: ErrorOptions): ExprError {
    return new ExprError(reason, this.#source, this.at, options);
  }

  /** The error of an evaluation that went too far. */
  limit(reason: string): ExprLimitError {
    return new ExprLimitError(reason, this.#source, this.at);
  }

  /** Compile a regular expression that was not known before. */
  pattern(text: string): Re2 {
    this.spend(text.length);
    try {
      return compileRe2(text, { maxSize: 2_000 });
    } catch (error) {
      if (error instanceof Re2Error) throw this.error(error.message, { cause: error });
      throw error;
    }
  }

  #stop(what: string): never {
    throw this.limit(`evaluation takes ${what}`);
  }

  /** The error of a function that was handed in, as one of the expression. */
  wrap(error: unknown): ExprError {
    return error instanceof ExprError ? error : this.error(errorText(error), { cause: error });
  }
}
