import type { Clock } from "./clock.ts";
import type { LogFields, Logger } from "./logger.ts";

/** How often the same trouble is told, in milliseconds. */
const pause = 10_000;

/** Tells of trouble that may come by the thousand: at once, then from time to time with how often it was meanwhile. */
export class TroubleLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #told = new Map<string, { at: number; untold: number }>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /**
   * Warn of something.
   * @param kind One of a few words: each is told on its own.
   */
  warn(kind: string, message: string, fields: LogFields = {}): void {
    const now = this.#clock.now();
    const last = this.#told.get(kind);
    if (last !== undefined && Math.abs(now - last.at) < pause) {
      last.untold++;
      return;
    }
    this.#logger.warn(message, { ...fields, ...(last?.untold ? { more: last.untold } : {}) });
    this.#told.set(kind, { at: now, untold: 0 });
  }
}
