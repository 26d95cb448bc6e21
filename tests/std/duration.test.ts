import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration, formatRemaining, parseDuration } from "../../lib/std/mod.ts";

describe("parseDuration()", () => {
  test.each([
    ["0", 0],
    ["300ms", 300],
    ["1.5h", 5_400_000],
    ["1h30m", 5_400_000],
    ["-2s", -2_000],
    ["+2s", 2_000],
    ["1us", 0.001],
    ["1µs", 0.001],
    ["250ns", 0.00025],
    [".5s", 500],
    ["365d", 31_536_000_000],
    ["1y", 31_536_000_000],
    ["1Y", 31_536_000_000],
    ["2w", 1_209_600_000],
    ["1M", 2_592_000_000],
    ["1d12h", 129_600_000],
    [" 5s ", 5_000],
  ])("reads %p", (text, ms) => {
    expect(parseDuration(text)).toBeCloseTo(ms, 9);
  });

  test.each(["", " ", "-", "5", "s", "1x", "1h 30m", "1h30", "1e3s", "--1s", "NaN", "Infinitys", "1h-1m", "1 s"])(
    "refuses %p with a SyntaxError that names it",
    (text) => {
      expect(() => parseDuration(text)).toThrow(SyntaxError);
      expect(() => parseDuration(text)).toThrow(`"${text}"`);
    },
  );

  test("takes a bare number as seconds only where asked to", () => {
    expect(parseDuration("90", { bareSeconds: true })).toBe(90_000);
    expect(() => parseDuration("90")).toThrow(SyntaxError);
    expect(() => parseDuration("1.5", { bareSeconds: true })).toThrow(SyntaxError);
  });

  test("refuses days and longer units where only Go's are allowed", () => {
    expect(parseDuration("24h", { units: "go" })).toBe(86_400_000);
    for (const text of ["1d", "1w", "1M", "1y"])
      expect(() => parseDuration(text, { units: "go" })).toThrow(SyntaxError);
  });

  test("ends quickly on any text, with a number or a SyntaxError", () => {
    const units = fc.constantFrom("1", "9", ".", "h", "m", "s", "ms", "d", "y", "-", "+", " ", "µ");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(units, { maxLength: 40 }).map((parts) => parts.join("")),
        ),
        (text) => {
          try {
            expect(Number.isFinite(parseDuration(text))).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError);
          }
        },
      ),
      { numRuns: 3_000 },
    );
    expect(() => parseDuration(`${"1h".repeat(100_000)}x`)).toThrow(SyntaxError);
  });
});

describe("formatDuration()", () => {
  test.each([
    [0, "0s"],
    [1e-7, "0s"],
    [1e-6, "1ns"],
    [0.0015, "1.5µs"],
    [0.15, "150µs"],
    [1, "1ms"],
    [1.5, "1.5ms"],
    [355, "355ms"],
    [1_000, "1s"],
    [4_045, "4.045s"],
    [60_000, "1m0s"],
    [63_200, "1m3.2s"],
    [3_600_000, "1h0m0s"],
    [5_400_000, "1h30m0s"],
    [31_536_000_000, "8760h0m0s"],
    [-1_500, "-1.5s"],
  ])("writes %p as Go does: %p", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("is read back as what was written", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 }), (microseconds) => {
        const ms = microseconds / 1_000;
        expect(parseDuration(formatDuration(ms))).toBeCloseTo(ms, 6);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("formatRemaining()", () => {
  test.each([
    [1_890, "1.89s"],
    [12_340, "12.34s"],
    [3_239_000, "53m59s"],
    [679_000, "11m19s"],
    [7_200_000, "2h0m0s"],
    [31_535_999_000, "364d23h59m59s"],
    [31_536_000_000, "1y0d0h0m0s"],
    [-182_000, "3m2s"],
  ])("writes %p ms as %p", (ms, text) => {
    expect(formatRemaining(ms)).toBe(text);
  });
});
