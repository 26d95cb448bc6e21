import type { Clock } from "../../lib/std/mod.ts";

interface Timer {
  at: number;
  every?: number;
  work: () => void;
}

/** A clock whose hands a test turns. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  after(ms: number, work: () => void): Disposable {
    return this.#add({ at: this.#now + ms, work });
  }

  every(ms: number, work: () => void): Disposable {
    return this.#add({ at: this.#now + ms, every: ms, work });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.after(ms, resolve);
      signal?.addEventListener("abort", () => {
        timer[Symbol.dispose]();
        resolve();
      });
    });
  }

  /** Move the hands on, running what falls due in its order, and let promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = due.at;
      if (due.every === undefined) this.#timers.delete(due);
      else due.at += due.every;
      due.work();
      await Promise.resolve();
    }
    this.#now = end;
    await Promise.resolve();
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }
}
