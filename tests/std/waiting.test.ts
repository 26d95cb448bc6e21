import { describe, expect, test } from "bun:test";
import { backoff, fiveSecondSteps, systemClock, twentySecondSteps } from "../../lib/std/mod.ts";

describe("backoff()", () => {
  test("draws from half to one and a half times the step", () => {
    expect(backoff([1_000], () => 0).delay(0)).toBe(500);
    expect(backoff([1_000], () => 0.999_999).delay(0)).toBe(1_500);
    for (let i = 0; i < 1_000; i++) {
      const delay = backoff(twentySecondSteps).delay(2);
      expect(delay).toBeGreaterThanOrEqual(500);
      expect(delay).toBeLessThanOrEqual(1_500);
    }
  });

  test("repeats the last step for ever", () => {
    const { delay } = backoff([100, 200], () => 0.5);
    expect([0, 1, 2, 99].map(delay)).toEqual([100, 200, 200, 200]);
    expect(delay(-1)).toBe(100);
  });

  test("has tables that climb from half a second to five and to twenty seconds", () => {
    for (const [steps, end] of [
      [fiveSecondSteps, 5_000],
      [twentySecondSteps, 20_000],
    ] as const) {
      expect(steps[0]).toBe(500);
      expect(steps.at(-1)).toBe(end);
      expect([...steps].sort((a, b) => a - b)).toEqual([...steps]);
    }
  });
});

describe("systemClock", () => {
  test("runs work once, again and again, or not at all", async () => {
    const done: string[] = [];
    const ended = Promise.withResolvers<void>();
    systemClock.after(1, () => done.push("once"));
    systemClock.after(1, () => done.push("never"))[Symbol.dispose]();
    const timer = systemClock.every(1, () => {
      done.push("again");
      if (done.filter((what) => what === "again").length === 3) ended.resolve();
    });
    await ended.promise;
    timer[Symbol.dispose]();
    expect(done.filter((what) => what === "once")).toHaveLength(1);
    expect(done).not.toContain("never");
  });

  test("wakes a sleeper whose signal aborts, without an error", async () => {
    const abort = new AbortController();
    const sleeping = systemClock.sleep(60_000, abort.signal);
    abort.abort();
    await sleeping;
    await systemClock.sleep(60_000, abort.signal);
    expect(abort.signal.aborted).toBe(true);
  });
});

test("a timer for longer than the runtime can wait does not fire at once", async () => {
  const fired: string[] = [];
  using _after = systemClock.after(2 ** 40, () => fired.push("after"));
  using _every = systemClock.every(2 ** 40, () => fired.push("every"));
  const hurry = new AbortController();
  const sleep = systemClock.sleep(2 ** 40, hurry.signal).then(() => fired.push("sleep"));
  await systemClock.sleep(20);
  expect(fired).toEqual([]);
  hurry.abort();
  await sleep;
  expect(fired).toEqual(["sleep"]);
});
