import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileRe2, quoteRe2, Re2Error } from "../../lib/re2/mod.ts";

function problem(pattern: string): Re2Error {
  try {
    compileRe2(pattern);
  } catch (error) {
    if (error instanceof Re2Error) return error;
    throw error;
  }
  throw new Error(`${pattern} is valid`);
}

describe("matching", () => {
  test.each([
    ["a.c", "xabcx", true],
    ["a.c", "a\nc", false],
    ["(?s)a.c", "a\nc", true],
    ["^a$", "a\n", false],
    ["(?m)^b$", "a\nb\nc", true],
    ["$^", "", true],
    ["$^", "a", false],
    ["(?i)straße", "STRAßE", true],
    ["(?i)k", "\u212a", true],
    ["(?i)[k-l]", "\u212a", true],
    ["\\bfoo\\b", "a foo!", true],
    ["\\bfoo\\b", "afoo", false],
    ["\\Boo", "foo", true],
    ["^\\p{Greek}+$", "αβγ", true],
    ["^\\pL+$", "aβ字", true],
    ["\\PL", "abc", false],
    ["^[[:alpha:]_]+$", "ab_c", true],
    ["^[^[:space:]]+$", "a b", false],
    ["^[\\w.-]+$", "a-b.c_1", true],
    ["^[]a]+$", "]a]", true],
    ["^\\x41\\x{1F600}\\101$", "A😀A", true],
    ["^.$", "😀", true],
    ["\\Qa.b\\E+", "a.bbb", true],
    ["\\Qa.b\\E+", "axb", false],
    ["^(?:a|ab)(?:c|bcd)$", "abcd", true],
    ["a{2,3}", "aa", true],
    ["a{2", "a{2", true],
    ["^(?i:A)b$", "ab", true],
    ["^(?i:A)b$", "aB", false],
    ["", "", true],
    ["\\z", "abc", true],
    ["(?U)a+", "aaa", true],
  ])("%s against %j", (pattern, text, wanted) => {
    expect(compileRe2(pattern).test(text)).toBe(wanted);
    expect(compileRe2(pattern).find(text) !== undefined).toBe(wanted);
  });

  test("case can be ignored by an option", () => {
    expect(compileRe2("hello", { caseInsensitive: true }).test("HeLLo")).toBe(true);
  });

  test("the leftmost match wins, then the preferred alternative", () => {
    expect(compileRe2("a|ab").find("xab")).toBe("a");
    expect(compileRe2("a+?").find("aaa")).toBe("a");
    expect(compileRe2("(?U)a+").find("aaa")).toBe("a");
    expect(compileRe2("(a*)(a*)").findSubmatch("aa")?.groups).toEqual(["aa", "aa", ""]);
  });
});

describe("submatches, replacing and splitting", () => {
  test("groups have places and names", () => {
    const re = compileRe2("(?P<key>\\w+)=(?<value>\\w+)?");
    expect(re.groupNames).toEqual(["", "key", "value"]);
    expect(re.findSubmatch("a b=c")).toEqual({ text: "b=c", start: 2, end: 5, groups: ["b=c", "b", "c"] });
    expect(re.findSubmatch("b=")?.groups).toEqual(["b=", "b", undefined]);
  });

  test("all matches are found, empty ones not next to another", () => {
    expect(compileRe2("a.").findAll("paranormal")).toEqual(["ar", "an", "al"]);
    expect(compileRe2("a*").findAll("baac")).toEqual(["", "aa", ""]);
    expect(compileRe2("a.").findAll("paranormal", 2)).toEqual(["ar", "an"]);
  });

  test("replacements expand groups", () => {
    expect(compileRe2("(a+)(?P<b>b+)").replaceAll("aabb ab", ["$", "{b}-$1-$$-$9"].join(""))).toBe("bb-aa-$- b-a-$-");
    expect(compileRe2("a*").replaceAll("baac", "X")).toBe("XbXcX");
  });

  test("splitting keeps what is between matches", () => {
    expect(compileRe2("z+").split("pizza")).toEqual(["pi", "a"]);
    expect(compileRe2("a").split("banana", 2)).toEqual(["b", "nana"]);
    expect(compileRe2("").split("abc")).toEqual(["a", "b", "c"]);
  });

  test("quoted text matches itself alone", () => {
    fc.assert(fc.property(fc.string(), (text) => compileRe2(`^${quoteRe2(text)}$`).test(text)));
  });
});

describe("bad patterns", () => {
  test.each([
    ["(", "missing closing ): `(`", 0],
    ["a)", "unexpected ): `a)`", 1],
    ["[a", "missing closing ]: `[a`", 0],
    ["*", "missing argument to repetition operator: `*`", 0],
    ["a**", "invalid nested repetition operator: `**`", 0],
    ["a{1001}", "invalid repeat count: `{1001}`", 1],
    ["(?=a)", "invalid or unsupported Perl syntax: `(?=`", 0],
    ["(?<=a)b", "invalid or unsupported Perl syntax: `(?<`", 0],
    ["(a)\\1", "invalid escape sequence: `\\1`", 3],
    ["[z-a]", "invalid character class range: `z-a`", 1],
    ["\\p{Nope}", "invalid character class range: `\\p{Nope}`", 0],
    ["a\\", "trailing backslash at end of expression: ``", 1],
    ["(?P<n>a)(?P<n>b)", "duplicate capture group name: `n`", 8],
  ])("%s", (pattern, text, position) => {
    const error = problem(pattern);
    expect(error.message).toBe(`error parsing regexp: ${text}`);
    expect(error.position).toBe(position);
  });

  test("patterns that are too large or nested too deep are refused", () => {
    expect(problem("((a{100}){100}){100}").message).toContain("too large");
    expect(problem(`${"(".repeat(5_000)}${")".repeat(5_000)}`).message).toContain("nests too deeply");
    expect(() => compileRe2("a{50}", { maxSize: 20 })).toThrow(Re2Error);
  });
});

describe("time", () => {
  test.each([
    ["(a+)+$", `${"a".repeat(50_000)}!`],
    ["(a|a)*b", "a".repeat(50_000)],
    ["(x+x+)+y", "x".repeat(50_000)],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(50_000)],
  ])("%s is answered in time proportional to the text", (pattern, text) => {
    const start = performance.now();
    expect(compileRe2(pattern).test(text)).toBe(false);
    expect(compileRe2(pattern).find(text)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test("a meter hears of the work and can stop it", () => {
    let work = 0;
    compileRe2("(a+)+$").find("a".repeat(10_000), (units) => {
      work += units;
    });
    expect(work).toBeGreaterThan(10_000);
    const stop = () => {
      throw new RangeError("enough");
    };
    expect(() => compileRe2("(a+)+$").find("a".repeat(10_000), stop)).toThrow("enough");
  });
});

const single = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\d", "\\b", "^", "$");
const plain = fc.constantFrom("a", "b", "[bc]", ".", "ab", "a[^b]", "a|b", "ab|a", "a|ab");
const times = fc.constantFrom("*", "+", "?", "*?", "+?", "{1,2}", "{2}");

/** Patterns that RE2 and JavaScript read alike: what is repeated never matches nothing. */
const piece = fc.oneof(
  single,
  fc.tuple(plain, times).map(([body, many]) => `(?:${body})${many}`),
  fc.tuple(plain, plain).map(([a, b]) => `(${a}|${b})`),
);
const pattern = fc
  .array(fc.array(piece, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .map((alternatives) => alternatives.map((pieces) => pieces.join("")).join("|"));

test("texts match as they do in JavaScript", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "1", " "), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (source, sample) => {
      const re = compileRe2(source);
      const peer = new RegExp(source).exec(sample);
      expect(re.test(sample)).toBe(peer !== null);
      expect(re.findSubmatch(sample)?.groups).toEqual(peer === null ? undefined : [...peer]);
    }),
    { numRuns: 2_000 },
  );
});
