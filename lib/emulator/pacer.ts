import type { Clock } from "../std/mod.ts";

/** Spreads work evenly over time. */
export class Pacer {
  readonly #clock: Clock;
  readonly #gap: number;
  #next = 0;

  /** @param perSecond How many turns there are in a second; 0 for no limit. */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#gap = perSecond > 0 ? 1_000 / perSecond : 0;
  }

  /** Wait for the next turn. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#gap;
    if (at > now) await this.#clock.sleep(at - now, signal);
    signal.throwIfAborted();
  }
}
