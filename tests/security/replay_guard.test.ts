import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReplayGuard } from "../../lib/security/mod.ts";

describe("ReplayGuard", () => {
  test("lets an id in once while its request is valid", () => {
    const guard = new ReplayGuard();
    expect(guard.admit("up=x", "a", 60_000, 0)).toBe(true);
    expect(guard.admit("up=x", "b", 60_000, 0)).toBe(true);
    for (const now of [0, 1, 30_000, 59_999, 60_000]) expect(guard.admit("up=x", "a", 60_000, now)).toBe(false);
  });

  test("forgets ids once no request of theirs can be valid", () => {
    const guard = new ReplayGuard({ slotMs: 1_000 });
    guard.admit("up=x", "a", 60_000, 0);
    expect(guard.size).toBe(1);
    expect(guard.admit("up=x", "b", 120_000, 61_001)).toBe(true);
    expect(guard.size).toBe(1);
  });

  test("refuses rather than forgets when it is full", () => {
    const guard = new ReplayGuard({ max: 2, share: 2, slotMs: 1_000 });
    expect([guard.admit("up=x", "a", 10_000, 0), guard.admit("up=x", "b", 10_000, 0)]).toEqual([true, true]);
    expect(guard.admit("up=x", "c", 10_000, 0)).toBe(false);
    expect(guard.admit("up=x", "a", 10_000, 0)).toBe(false);
    expect(guard.admit("up=x", "c", 30_000, 11_001)).toBe(true);
  });

  test("gives a caller no more than its share, so that others have theirs", () => {
    const guard = new ReplayGuard({ max: 40, slotMs: 1_000 });
    const admitted = Array.from({ length: 100 }, (_, at) => guard.admit("up=greedy", `id${at}`, 1e15, 0));
    expect(admitted.filter(Boolean)).toHaveLength(4);
    expect(guard.admit("up=other", "id1", 10_000, 0)).toBe(true);
    expect(guard.admit("up=other", "id1", 10_000, 0)).toBe(false);
    expect(guard.admit("up=greedy", "id100", 10_000, 0)).toBe(false);
    for (let at = 0; at < 3; at++) guard.admit("up=other", `more${at}`, 10_000, 0);
    expect(guard.admit("up=other", "last", 10_000, 0)).toBe(false);
    expect(guard.admit("up=other", "last", 30_000, 11_001)).toBe(true);
    expect(guard.size).toBe(5);
  });

  test("is as quick when somebody gives each request another validity", () => {
    const guard = new ReplayGuard();
    const started = performance.now();
    for (let i = 1; i <= 30_000; i++) expect(guard.admit("up=odd", String(i), i * 10_000, 0)).toBe(true);
    expect(performance.now() - started).toBeLessThan(3_000);
    for (const i of [1, 100, 30_000]) expect(guard.admit("up=odd", String(i), i * 10_000, i * 10_000)).toBe(false);
    expect(guard.admit("up=odd", "far", Number.MAX_SAFE_INTEGER * 1_000, 0)).toBe(true);
    expect(guard.admit("up=odd", "far", Number.MAX_SAFE_INTEGER * 1_000, 0)).toBe(false);
  });

  test("never lets a valid request in twice, whatever comes in between", () => {
    const requests = fc.array(
      fc.record({ id: fc.constantFrom(..."abcdefgh"), ttl: fc.integer({ min: 1, max: 2_000 }), wait: fc.nat(40) }),
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
          const admitted = guard.admit("up=x", id, now + ttl, now);
          if (isValidStill) expect(admitted).toBe(false);
          if (admitted) until.set(id, now + ttl);
        }
        expect(guard.size).toBeLessThanOrEqual(8);
      }),
      { numRuns: 1_000 },
    );
  });
});
