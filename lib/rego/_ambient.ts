import type { Meter } from "./limits.ts";

/**
 * The meter of the evaluation that is running.
 *
 * Values can share parts, so that a small value can take exponential time to compare or print. The functions that walk
 * through values are used from everywhere and have no context at hand; evaluation is synchronous, so the running meter
 * is kept here for its time.
 */
let running: Meter | undefined;

/** Runs code with a meter that hears of all walks through values. */
export function withMeter<T>(meter: Meter, run: () => T): T {
  const outer = running;
  running = meter;
  try {
    return run();
  } finally {
    running = outer;
  }
}

/** Counts the parts of a value that are looked at. */
export function charge(parts: number): void {
  running?.tick(parts + 1);
}
