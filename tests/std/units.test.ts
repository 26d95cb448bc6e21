import { describe, expect, test } from "bun:test";
import { formatBytes, formatCount, formatSpan, parseBytes } from "../../lib/std/mod.ts";

describe("sizes", () => {
  test("are written with one digit after the point below ten", () => {
    const sizes = [0, 9, 1_023, 1_024, 6_913, 37_888, 1_048_576, 18_957_382_656];
    expect(sizes.map(formatBytes)).toEqual([
      ...["0 B", "9 B", "1023 B", "1.0 KiB", "6.8 KiB", "37 KiB", "1.0 MiB", "18 GiB"],
    ]);
  });

  test("are read with units that count by 1024", () => {
    const texts = ["-1", "0", "512", "1KB", "10MB", "1.5G", "2 GiB", "1t"];
    expect(texts.map(parseBytes)).toEqual([
      ...[-1, 0, 512, 1_024, 10_485_760, 1_610_612_736, 2_147_483_648, 1_099_511_627_776],
    ]);
  });

  test("that are none are refused by their text", () => {
    for (const text of ["", "x", "1Q", "1 2", "NaN", "1e3"]) expect(() => parseBytes(text)).toThrow(`"${text}"`);
  });
});

test("counts have commas between their thousands", () => {
  expect([0, 999, 1_000, 50_000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "50,000", "1,234,567"]);
});

test("spans are written as people read them", () => {
  const spans = [-5, 49.4, 999, 1_000, 16_360, 125_000, 86_400_000];
  expect(spans.map(formatSpan)).toEqual(["0ms", "49ms", "999ms", "1.00s", "16.36s", "2m5s", "1d0h0m0s"]);
});
