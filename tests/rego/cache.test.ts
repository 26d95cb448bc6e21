import { describe, expect, test } from "bun:test";
import { RegoCache, RegoError } from "../../lib/rego/mod.ts";

const SOURCE = "package a\nallow := true";
const call = () => true;

describe("a cache of policies", () => {
  test("compiles a text once", () => {
    const cache = new RegoCache();
    expect(cache.get(SOURCE)).toBe(cache.get(`${SOURCE}`));
    expect(cache.size).toBe(1);
  });

  test("keeps dialects and functions apart, but not the code of functions", () => {
    const cache = new RegoCache();
    const f = (arity: number, code = call) => ({ functions: [{ name: "f", arity, call: code }] });
    expect(cache.get(SOURCE, { dialect: "v0" })).not.toBe(cache.get(SOURCE, { dialect: "v1" }));
    expect(cache.get(SOURCE, f(1))).not.toBe(cache.get(SOURCE, f(2)));
    expect(cache.get(SOURCE, f(1))).toBe(
      cache.get(
        SOURCE,
        f(1, () => false),
      ),
    );
  });

  test("keeps failures and throws them again", () => {
    const cache = new RegoCache();
    const errors = [1, 2].map(() => {
      try {
        return cache.get("package a\nallow {");
      } catch (error) {
        return error;
      }
    });
    expect(errors[0]).toBeInstanceOf(RegoError);
    expect(errors[0]).toBe(errors[1]);
  });

  test("gives up the policy used longest ago", () => {
    const cache = new RegoCache({ max: 2 });
    const first = cache.get("package a\nx := 1");
    cache.get("package a\nx := 2");
    expect(cache.get("package a\nx := 1")).toBe(first);
    cache.get("package a\nx := 3");
    expect(cache.size).toBe(2);
    expect(cache.get("package a\nx := 1")).toBe(first);
  });
});
