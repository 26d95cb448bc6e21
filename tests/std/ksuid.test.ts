import { expect, test } from "bun:test";
import fc from "fast-check";
import { newKsuid, parseKsuid } from "../../lib/std/mod.ts";
import ids from "../fixtures/tokens-and-protocol/ids.json";

test.each(ids.ksuid.map((id) => [id.ksuid, id] as const))(
  "parseKsuid() takes %p apart as the original does",
  (text, id) => {
    const parsed = parseKsuid(text);
    expect(parsed?.seconds).toBe(id.unix_time);
    expect(parsed?.payload.toHex()).toBe(id.payload_hex);
  },
);

test("newKsuid() embeds the second it was made in", () => {
  expect(parseKsuid(newKsuid(1_704_164_645))?.seconds).toBe(1_704_164_645);
  const before = Math.floor(Date.now() / 1_000);
  expect(parseKsuid(newKsuid())?.seconds).toBeGreaterThanOrEqual(before);
});

test("newKsuid() is 27 base62 characters for any time a KSUID can hold, and sorts by time", () => {
  const seconds = fc.integer({ min: 1_400_000_000, max: 1_400_000_000 + 0xffff_ffff });
  fc.assert(
    fc.property(seconds, seconds, (a, b) => {
      const [early, late] = [newKsuid(Math.min(a, b)), newKsuid(Math.max(a, b))];
      expect(early).toMatch(/^[0-9A-Za-z]{27}$/);
      expect(parseKsuid(early)?.seconds).toBe(Math.min(a, b));
      if (a !== b) expect(early < late).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("newKsuid() never gives the same id twice", () => {
  const made = new Set(Array.from({ length: 10_000 }, () => newKsuid(1_704_164_645)));
  expect(made.size).toBe(10_000);
});

test("parseKsuid() knows the largest KSUID and refuses what lies beyond", () => {
  expect(parseKsuid("aWgEPTl1tmebfsQzFP4bxwgy80V")?.seconds).toBe(1_400_000_000 + 0xffff_ffff);
  expect(parseKsuid("aWgEPTl1tmebfsQzFP4bxwgy80W")).toBeUndefined();
  expect(parseKsuid("zzzzzzzzzzzzzzzzzzzzzzzzzzz")).toBeUndefined();
});

test("parseKsuid() gives undefined for any text that is not one", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      if (!/^[0-9A-Za-z]{27}$/.test(text)) expect(parseKsuid(text)).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
  expect(parseKsuid("2aNgr0siOQrn5ZWcDhZVxcSDiq-")).toBeUndefined();
});
