/** The time and timers that a role uses, handed in so that tests can turn the hands themselves. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Run `work` once after `ms` milliseconds; disposing the handle calls it off. */
  after(ms: number, work: () => void): Disposable;
  /** Run `work` every `ms` milliseconds until the handle is disposed. */
  every(ms: number, work: () => void): Disposable;
  /** Resolve after `ms` milliseconds, or as soon as `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest time that a timer of the runtime can wait; anything longer fires at once there. */
const longestTimer = 2 ** 31 - 1;

/** The machine's own clock. Its timers keep the process alive while they wait, and may wait for as long as anybody likes. */
export const systemClock: Clock = {
  now: Date.now,
  after(ms, work) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number) => {
      if (left <= longestTimer) timer = setTimeout(work, left);
      else timer = setTimeout(() => wait(left - longestTimer), longestTimer);
    };
    wait(ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every(ms, work) {
    if (ms > longestTimer) return repeat(systemClock, ms, work);
    const timer = setInterval(work, ms);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        timer[Symbol.dispose]();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = systemClock.after(ms, done);
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};

/** An interval that no timer of the runtime can wait. */
function repeat(clock: Clock, ms: number, work: () => void): Disposable {
  let timer = clock.after(ms, again);
  function again() {
    timer = clock.after(ms, again);
    work();
  }
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
