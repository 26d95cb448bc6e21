import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReplayGuard } from "../../lib/security/mod.ts";

describe("ReplayGuard", () => {
  test("lets an id in once while its request is valid", () => {
    const guard = new ReplayGuard();
    expect(guard.admit("a", 60_000, 0)).toBe(true);
    expect(guard.admit("b", 60_000, 0)).toBe(true);
    for (const now of [0, 1, 30_000, 59_999, 60_000]) expect(guard.admit("a", 60_000, now)).toBe(false);
  });

  test("forgets ids once no request of theirs can be valid", () => {
    const guard = new ReplayGuard({ slotMs: 1_000 });
    guard.admit("a", 60_000, 0);
    expect(guard.size).toBe(1);
    expect(guard.admit("b", 120_000, 61_001)).toBe(true);
    expect(guard.size).toBe(1);
  });

  test("refuses rather than forgets when it is full", () => {
    const guard = new ReplayGuard({ max: 2, slotMs: 1_000 });
    expect([guard.admit("a", 10_000, 0), guard.admit("b", 10_000, 0)]).toEqual([true, true]);
    expect(guard.admit("c", 10_000, 0)).toBe(false);
    expect(guard.admit("a", 10_000, 0)).toBe(false);
    expect(guard.admit("c", 30_000, 11_001)).toBe(true);
  });

  test("never lets a valid request in twice, whatever comes in between", () => {
    const requests = fc.array(
      fc.record({ id: fc.constantFrom(..."abcdefgh"), ttl: fc.integer({ min: 1, max: 100 }), wait: fc.nat(40) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(requests, fc.constantFrom(1, 7, 50), (requests, slotMs) => {
        const guard = new ReplayGuard({ slotMs });
        const until = new Map<string, number>();
        let now = 0;
        for (const { id, ttl, wait } of requests) {
          now += wait;
          const isValidStill = (until.get(id) ?? -1) >= now;
          const admitted = guard.admit(id, now + ttl, now);
          if (isValidStill) expect(admitted).toBe(false);
          if (admitted) until.set(id, now + ttl);
        }
        expect(guard.size).toBeLessThanOrEqual(8);
      }),
      { numRuns: 1_000 },
    );
  });
});
