import type { CronSchedule } from "./_cron.ts";

/** When {@link Windows} are open. */
export interface WindowOptions {
  schedules: readonly CronSchedule[];
  /** Milliseconds from a time of a schedule until its window closes. */
  duration: number;
  /** A window opens up to so many milliseconds late. */
  splay: number;
  /** A number from 0 to below 1. */
  random: () => number;
}

/** How long a look at the clock may be late before times are looked up anew, in milliseconds. */
const longestGap = 60_000;

interface Window {
  opens: number;
  closes: number;
}

/**
 * Windows of time that open at the times of some schedules. It is asked again and again what the time makes of them;
 * however long ago the last question was, as where the host slept, no window that is open still is missed.
 */
export class Windows {
  readonly #options: WindowOptions;
  /** The next time of each schedule. */
  readonly #next: (number | undefined)[];
  #windows: Window[] = [];
  #lastLook: number;

  constructor(options: WindowOptions, now: number) {
    this.#options = options;
    this.#next = options.schedules.map((schedule) => schedule.next(now));
    this.#lastLook = now;
  }

  /** Whether a window is open. */
  isOpen(now: number): boolean {
    // Somebody has set the clock back.
    if (now < this.#lastLook - longestGap) this.#forget(now);
    this.#lastLook = now;
    this.#options.schedules.forEach((schedule, index) => {
      this.#next[index] = this.#follow(schedule, this.#next[index], now);
    });
    this.#windows = this.#windows.filter(({ closes }) => closes > now);
    return this.#windows.some(({ opens }) => opens <= now);
  }

  /** When there may be another answer; `Infinity` for never. Asked after {@link Windows.isOpen}. */
  nextChange(now: number): number {
    const times = this.#windows.flatMap(({ opens, closes }) => (opens > now ? [opens, closes] : [closes]));
    for (const next of this.#next) if (next !== undefined) times.push(next);
    return Math.min(...times);
  }

  /** Open the windows whose time has come; gives the time that is next. */
  #follow(schedule: CronSchedule, next: number | undefined, now: number): number | undefined {
    if (next === undefined || next > now) return next;
    // Of all times that passed unseen the last one has the window that stays open longest.
    const last = now - next > longestGap ? (schedule.previous(now) ?? next) : next;
    const { duration, splay, random } = this.#options;
    const wait = Math.floor(random() * splay);
    this.#windows.push({ opens: last + wait, closes: last + duration });
    return this.#follow(schedule, schedule.next(last), now);
  }

  #forget(now: number): void {
    this.#windows = [];
    this.#options.schedules.forEach((schedule, index) => {
      this.#next[index] = schedule.next(now);
    });
  }
}
