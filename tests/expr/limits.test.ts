import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileExpr, ExprCache, ExprError, ExprLimitError } from "../../lib/expr/mod.ts";

/** Evaluate, and give how long it took. */
function timed(source: string, data: Record<string, unknown> = {}): { error: unknown; ms: number } {
  const start = performance.now();
  let error: unknown;
  try {
    compileExpr(source, { allowUndefined: true }).evaluate(data);
  } catch (caught) {
    error = caught;
  }
  return { error, ms: performance.now() - start };
}

describe("an expression that asks for too much is stopped", () => {
  const greedy = {
    "nested loops": "any(1..1000, any(1..1000, any(1..1000, # < 0)))",
    "a range": "1..100000000",
    "a range of 64 bits": "-9223372036854775807..9223372036854775807",
    "doubled text": "reduce(1..60, #acc + #acc, 'ab')",
    "doubled lists": "reduce(1..60, concat(#acc, #acc), [1])",
    "repeated text": "repeat('abc', 9223372036854775807)",
    "repeated repetition": "repeat(repeat(repeat('a', 9999), 9999), 9999)",
    "replaced text": "reduce(1..30, replace(#acc, 'a', 'aaaa'), 'a')",
    "joined text": "join(map(1..9999, repeat('x', 9999)), repeat('y', 9999))",
    "shared values as JSON": "toJSON(reduce(1..60, [#acc, #acc], 1))",
    "shared values as text": "string(reduce(1..60, [#acc, #acc], 1))",
    "shared values compared": "reduce(1..60, [#acc, #acc], 1) == reduce(1..60, [#acc, #acc], 1)",
    "shared values flattened": "flatten(reduce(1..60, [#acc, #acc], 1))",
    "shared values added up": "mean(reduce(1..60, [#acc, #acc], 1))",
    "deep values": "toJSON(reduce(1..5000, [#acc], 1))",
    "a deep comparison": "reduce(1..5000, [#acc], 1) == reduce(1..5000, [#acc], 1)",
    "many distinct values": "uniq(map(1..20000, [#]))",
    "many sorts": "map(1..1000, sort(1..1000))",
    "a search in long text": "map(1..100000, repeat('a', 100) matches '(a*)*b')",
    "large patterns": "map(1..10000, 'x' matches repeat('(a|b)', #))",
    "days without end": "reduce(1..1000000, #acc.AddDate(1000, 0, 0), date('2023-08-14'))",
  };
  for (const [what, source] of Object.entries(greedy)) {
    test(what, () => {
      const { error, ms } = timed(source);
      expect(error).toBeInstanceOf(ExprError);
      expect(ms).toBeLessThan(3_000);
    });
  }

  test("at limits of the caller's choice", () => {
    const compiled = compileExpr("sum(map(1..100, # * 2))");
    expect(compiled.evaluate()).toBe(10_100n);
    expect(() => compiled.evaluate({}, { limits: { steps: 100 } })).toThrow("evaluation takes more than 100 steps");
    expect(() => compiled.evaluate({}, { limits: { memory: 50 } })).toThrow("memory budget exceeded");
    const endless = compileExpr("any(1..1000, any(1..1000, any(1..1000, # < 0)))");
    const limits = { steps: 1e12, timeMs: 20 };
    expect(() => endless.evaluate({}, { limits })).toThrow("evaluation takes more than 20 ms");
  });

  test("in its text: length, nesting and number of parts", () => {
    for (const source of [
      "1+".repeat(40_000),
      "(".repeat(10_000),
      `${"!".repeat(10_000)}true`,
      "[".repeat(1_000) + "]".repeat(1_000),
      "a".concat(".b".repeat(5_000)),
      "1".concat("+1".repeat(5_000)),
      `[${"1,".repeat(20_000)}]`,
      "true ? ".repeat(500).concat("1", " : 2".repeat(500)),
      "if true { 1 } else ".repeat(500).concat("{ 2 }"),
    ]) {
      const { error, ms } = timed(source);
      expect(error).toBeInstanceOf(ExprLimitError);
      expect(ms).toBeLessThan(2_000);
    }
  });

  test("while those of a usual size pass", () => {
    expect(compileExpr("1".concat("+1".repeat(400))).evaluate()).toBe(401n);
    expect(compileExpr("(".repeat(100).concat("1", ")".repeat(100))).evaluate()).toBe(1n);
  });
});

describe("whatever the text", () => {
  const words = (
    "1 0 2.5 'a' \"b\" true false nil x f facts names # . .. ?. ?? ? : ; , ( ) [ ] { } + - * / % ** == != < > <= >= and or " +
    "not in contains matches startsWith && || ! | let = if else any all map filter reduce sum sortBy groupBy #acc len " +
    "string toJSON split join repeat date duration now int max first x.y f() names[0] b'x' // /* */ ` $env :: \\ é 😀"
  ).split(" ");
  const data = { x: { y: [1, "a", null, { z: true }] }, names: ["a", "b"], facts: { a: 1 }, f: () => 1 };

  const onlyExprErrors = (source: string) => {
    const { error, ms } = timed(source, data);
    if (error !== undefined) expect(error).toBeInstanceOf(ExprError);
    expect(ms).toBeLessThan(3_000);
  };

  test("nothing but an ExprError is thrown: words in any order", () => {
    const source = fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((list) => list.join(" "));
    fc.assert(fc.property(source, onlyExprErrors), { numRuns: 4_000 });
  });

  test("nothing but an ExprError is thrown: any characters", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), onlyExprErrors), { numRuns: 2_000 });
  });

  test("nothing but an ExprError is thrown: calls and operators over odd values", () => {
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom("1", "-1", "1.5", "'a'", "nil", "[]", "{}", "x", "names", "undef", "x.y", "now()", "1..5"),
        fc
          .tuple(
            tie("expression"),
            fc.constantFrom("+", "-", "*", "%", "<", "==", "in", "??", "..", "matches", "and"),
            tie("expression"),
          )
          .map(([a, sign, b]) => `(${a}) ${sign} (${b})`),
        fc
          .tuple(
            fc.constantFrom(
              "len",
              "max",
              "sort",
              "int",
              "string",
              "toJSON",
              "first",
              "keys",
              "flatten",
              "uniq",
              "date",
            ),
            tie("expression"),
          )
          .map(([name, a]) => `${name}(${a})`),
        fc
          .tuple(
            fc.constantFrom("map", "filter", "any", "sum", "sortBy", "groupBy", "reduce"),
            tie("expression"),
            tie("expression"),
          )
          .map(([name, a, b]) => `${name}(${a}, ${b})`),
        fc
          .tuple(tie("expression"), fc.constantFrom(".y", "?.y", "[0]", "[-9]", "[1:]", "['y']", ".String()"))
          .map((both) => `(${both[0]})${both[1]}`),
      ),
    }));
    fc.assert(fc.property(expression, onlyExprErrors), { numRuns: 4_000 });
  });
});

describe("a cache", () => {
  test("compiles an expression once, and forgets the least recently used", () => {
    const cache = new ExprCache({}, 2);
    const first = cache.get("1");
    expect(cache.get("1")).toBe(first);
    cache.get("2");
    cache.get("1");
    cache.get("3");
    expect(cache.size).toBe(2);
    expect(cache.get("1")).toBe(first);
  });

  test("keeps no failures", () => {
    const cache = new ExprCache();
    expect(() => cache.get("1 +")).toThrow(ExprError);
    expect(cache.size).toBe(0);
  });
});
