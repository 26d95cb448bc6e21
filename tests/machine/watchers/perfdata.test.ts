import { expect, test } from "bun:test";
import fc from "fast-check";
import { parsePerfData } from "../../../lib/machine/watchers/_perfdata.ts";
import vectors from "../../fixtures/machines/perfdata.json";

const cases: { output: string; perfdata?: unknown; panic?: string }[] = vectors.cases;

test.each(cases.filter(({ panic }) => panic === undefined).map(({ output, perfdata }) => [output, perfdata] as const))(
  "%p is read as the original reads it",
  (output, perfdata) => {
    expect<unknown>(parsePerfData(output) ?? null).toEqual(perfdata);
  },
);

test("values that take the original down are left out", () => {
  for (const { output } of cases.filter(({ panic }) => panic !== undefined)) parsePerfData(output);
  expect(parsePerfData("OK|a=1 b=U c=2")).toEqual([
    { unit: "", label: "a", value: 1 },
    { unit: "", label: "c", value: 2 },
  ]);
  expect(parsePerfData("OK|a=U")).toBeUndefined();
});

test("any output gives figures or nothing, and never too many", () => {
  const perf = fc.string({ unit: fc.constantFrom(..."ab=|;' .-+*0159smuKMTBc%\n".split("")), maxLength: 200 });
  fc.assert(
    fc.property(perf, (text) => {
      for (const { value, unit } of parsePerfData(`OK|${text}`) ?? []) {
        expect(Number.isFinite(value)).toBe(true);
        expect(unit).toMatch(/^(us|ms|s|%|B|KB|MB|TB|c)?$/);
      }
    }),
  );
  const started = performance.now();
  expect(parsePerfData(`OK|${"a=1 ".repeat(100_000)}`)).toHaveLength(256);
  expect(parsePerfData(`OK|${"a=1|".repeat(100_000)}`)).toBeUndefined();
  expect(parsePerfData(`OK|${"x".repeat(1_000_000)}=1`)).toBeUndefined();
  expect(parsePerfData(`OK|a=${"1".repeat(5_000)}`)).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(1_000);
});
