/** How long a transition waits after so many others, in milliseconds; the last step holds for all that follow. */
const steps = [
  0, 25, 50, 75, 100, 125, 150, 200, 250, 500, 750, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000,
] as const;

/** After a pause of this many milliseconds all is forgotten. */
const quietTime = 60_000;

/** Slows transitions down that follow each other too closely. */
export class TransitionLimiter {
  readonly #now: () => number;
  readonly #random: () => number;
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** @param random A number from 0 to below 1. */
  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  /** Count a transition and say how many milliseconds it has to wait: half to one and a half of its step. */
  next(): number {
    // A clock that was set back far tells nothing, and is not to slow everything down until it is where it was.
    if (Math.abs(this.#now() - this.#last) >= quietTime) this.#count = 0;
    const step = steps[Math.min(this.#count++, steps.length - 1)] ?? 0;
    const wait = Math.floor(step / 2 + this.#random() * step);
    this.#last = this.#now() + wait;
    return wait;
  }
}
