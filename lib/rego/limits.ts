import { NOWHERE, RegoError } from "./errors.ts";

/** What an evaluation may use before it is stopped; a stopped evaluation is an error. */
export interface RegoLimits {
  /** Units of work: elements looked at, calls made, rules run. Default 5,000,000. */
  steps?: number;
  /** Rules and functions inside each other. Default 200. */
  depth?: number;
  /** Wall clock in milliseconds. Default 2,000. */
  timeMs?: number;
  /** Approximate bytes of all values made on the way. Default 64 MiB. */
  resultBytes?: number;
}

/** The limits that hold where a caller sets none. */
export const DEFAULT_LIMITS: Readonly<Required<RegoLimits>> = {
  steps: 5_000_000,
  depth: 200,
  timeMs: 2_000,
  resultBytes: 64 * 1024 * 1024,
};

const CLOCK_EVERY = 2048;

/** Counts what an evaluation uses and stops it when it exceeds its limits. */
export class Meter {
  readonly #steps: number;
  readonly #depth: number;
  readonly #timeMs: number;
  readonly #bytes: number;
  readonly #started: number;
  #used = 0;
  #nextCheck: number;
  #level = 0;
  #made = 0;

  constructor(limits: RegoLimits = {}) {
    this.#steps = limits.steps ?? DEFAULT_LIMITS.steps;
    this.#depth = limits.depth ?? DEFAULT_LIMITS.depth;
    this.#timeMs = limits.timeMs ?? DEFAULT_LIMITS.timeMs;
    this.#bytes = limits.resultBytes ?? DEFAULT_LIMITS.resultBytes;
    this.#started = performance.now();
    this.#nextCheck = Math.min(this.#steps, CLOCK_EVERY);
  }

  /** Steps used so far. */
  get used(): number {
    return this.#used;
  }

  /** Counts work. */
  tick(steps = 1): void {
    this.#used += steps;
    if (this.#used >= this.#nextCheck) this.#check();
  }

  #check(): void {
    if (this.#used >= this.#steps) this.#stop(`more than ${this.#steps} steps`);
    if (performance.now() - this.#started > this.#timeMs) this.#stop(`more than ${this.#timeMs} ms`);
    this.#nextCheck = Math.min(this.#steps, this.#used + CLOCK_EVERY);
  }

  /** Enters a rule or function. */
  enter(): void {
    if (++this.#level > this.#depth) this.#stop(`rules nested deeper than ${this.#depth}`);
    this.tick();
  }

  /** Leaves what was entered last. */
  leave(): void {
    this.#level--;
  }

  /** Counts memory of values made. */
  make(bytes: number): void {
    this.#made += bytes;
    if (this.#made > this.#bytes) this.#stop(`values of more than ${this.#bytes} bytes`);
    if (bytes > 256) this.tick(bytes >> 8);
  }

  #stop(what: string): never {
    throw RegoError.at("eval_limit_error", `the policy was stopped: it needs ${what}`, NOWHERE);
  }
}
