import type { Clock } from "../../lib/std/mod.ts";

interface Timer {
  at: number;
  /** Of two timers that fall due at once, the older one goes first. */
  readonly order: number;
  readonly every?: number;
  readonly work: () => void;
  isOff: boolean;
}

/** A clock whose hands a test turns. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new TimerHeap();
  #pending = 0;
  /** By how much somebody has set the hands, which timers do not mind. */
  #shift = 0;
  #made = 0;

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now + this.#shift;
  }

  /** Set the hands back. Timers go on as they were. */
  setBack(ms: number): void {
    this.#shift -= ms;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#pending;
  }

  after(ms: number, work: () => void): Disposable {
    return this.#add({ at: this.#now + ms, order: this.#made++, work, isOff: false });
  }

  every(ms: number, work: () => void): Disposable {
    return this.#add({ at: this.#now + ms, order: this.#made++, every: ms, work, isOff: false });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const abort = () => {
        timer[Symbol.dispose]();
        resolve();
      };
      const timer = this.after(ms, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /**
   * Move the hands on, running what falls due in its order.
   *
   * @param settle Waited for before the first and after each: by default promises get one turn.
   */
  async advance(ms: number, settle: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await settle();
    const end = this.#now + ms;
    for (let due = this.#timers.take(end); due !== undefined; due = this.#timers.take(end)) {
      if (due.isOff) continue;
      this.#now = Math.max(this.#now, due.at);
      if (due.every === undefined) {
        due.isOff = true;
        this.#pending--;
      } else {
        due.at += due.every;
        this.#timers.put(due);
      }
      due.work();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #add(timer: Timer): Disposable {
    this.#timers.put(timer);
    this.#pending++;
    return {
      [Symbol.dispose]: () => {
        if (timer.isOff) return;
        timer.isOff = true;
        this.#pending--;
      },
    };
  }
}

/** Timers, of which the one that is due first is found at once, however many there are. */
class TimerHeap {
  readonly #timers: Timer[] = [];

  put(timer: Timer): void {
    const timers = this.#timers;
    let at = timers.push(timer) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = timers[above];
      if (parent === undefined || !isBefore(timer, parent)) break;
      timers[at] = parent;
      at = above;
    }
    timers[at] = timer;
  }

  /** Take out the first timer, where it is due by `end`. */
  take(end: number): Timer | undefined {
    const [first] = this.#timers;
    if (first === undefined || first.at > end) return undefined;
    const last = this.#timers.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first;
  }

  #sink(timer: Timer): void {
    const timers = this.#timers;
    let at = 0;
    for (;;) {
      const [left, right] = [timers[2 * at + 1], timers[2 * at + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, timer)) break;
      timers[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    timers[at] = timer;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
