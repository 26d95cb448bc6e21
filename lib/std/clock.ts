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

/** The machine's own clock. Its timers keep the process alive while they wait. */
export const systemClock: Clock = {
  now: Date.now,
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every(ms, work) {
    const timer = setInterval(work, ms);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};
