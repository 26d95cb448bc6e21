import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatConf, parseConf } from "../../lib/config/mod.ts";

const read = (text: string) => parseConf(text).map(({ key, value }) => [key, value]);

describe("parseConf()", () => {
  test("splits at the first = and trims both sides", () => {
    expect(read("a=1\n  b =  two words \nc==x\nd = e = f\r\n")).toEqual([
      ["a", "1"],
      ["b", "two words"],
      ["c", "=x"],
      ["d", "e = f"],
    ]);
  });

  test("passes over blank lines, comments and what is no setting", () => {
    expect(read("\n# a = 1\n   # b = 2\nno separator\n= no key\nno value =\n")).toEqual([]);
  });

  test("knows no quotes, no sections and no comments behind a value", () => {
    expect(read('a = "x" # y\n[section]\n')).toEqual([["a", '"x" # y']]);
  });

  test("tells the line, and keeps every occurrence", () => {
    expect(parseConf("\n\na=1\n#\na=2")).toEqual([
      { key: "a", value: "1", line: 3 },
      { key: "a", value: "2", line: 5 },
    ]);
  });

  test("passes over a byte order mark", () => {
    expect(read("\uFEFFidentity = node1")).toEqual([["identity", "node1"]]);
  });

  test("reads any text, and long lines quickly", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        for (const { key, value, line } of parseConf(text)) {
          expect(key.trim()).toBe(key);
          expect(key.length * value.length).toBeGreaterThan(0);
          expect(line).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
    const started = performance.now();
    parseConf(`a${" ".repeat(500_000)}b`);
    parseConf(`${"=".repeat(500_000)}\n`);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("formatConf()", () => {
  test("writes what parseConf() reads back", () => {
    const texts = fc.string({ minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.tuple(texts, texts), { maxLength: 8 }), (settings) => {
        let text: string;
        try {
          text = formatConf(settings, "made by a test\nin two lines");
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        expect(read(text)).toEqual(settings);
      }),
      { numRuns: 3_000 },
    );
    expect(read(formatConf([["identity", "node1"]], "header"))).toEqual([["identity", "node1"]]);
  });

  test.each([
    ["a=b", "x"],
    ["#a", "x"],
    ["", "x"],
    ["a", ""],
    ["a", "x\ny = z"],
    ["a\nb", "x"],
    [" a", "x"],
    ["a", "x "],
  ])("refuses the key %p with the value %p, naming the key", (key, value) => {
    expect(() => formatConf([[key, value]])).toThrow(TypeError);
    expect(() => formatConf([[key, value]])).toThrow(JSON.stringify(key));
  });
});
