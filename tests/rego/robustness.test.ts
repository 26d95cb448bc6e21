import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileRego, RegoError } from "../../lib/rego/mod.ts";
import { compareValues, equalValues, keyOf, type RegoValue, toRego } from "../../lib/rego/values.ts";
import vectors from "../fixtures/rego/policies.json";

const functions = ["requires_filter", "requires_fact_filter", "requires_class_filter", "requires_identity_filter"].map(
  (name, i) => ({ name, arity: i === 0 ? 0 : 1, call: () => true }),
);

/** Evaluates whatever text it is given; anything but a RegoError is a defect. */
function survive(source: string, input: unknown): void {
  try {
    const policy = compileRego(source, { functions });
    policy.evaluate("data.io.choria.aaasvc", { input, explain: true, limits: { timeMs: 500 } });
  } catch (error) {
    expect(error).toBeInstanceOf(RegoError);
  }
}

const pieces = fc.constantFrom(
  ...'{ } [ ] ( ) := = == | & , ; : . \n _ x 1 -1 "a" ` $"{x}" set() input data.x'.split(" "),
  ..."not some every in if contains else default with as import package null true"
    .split(" ")
    .map((word) => ` ${word} `),
);

describe("a policy text", () => {
  test("that was damaged anywhere never breaks out", () => {
    const policy = fc.constantFrom(...vectors.cases.map((each) => each.policy));
    const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(8), put: pieces });
    const damaged = fc.tuple(policy, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([text, edits]) =>
      edits.reduce((out, { at, cut, put }) => {
        const pos = Math.floor(at * out.length);
        return out.slice(0, pos) + put + out.slice(pos + cut);
      }, text),
    );
    fc.assert(
      fc.property(damaged, fc.jsonValue(), (source, input) => survive(source, input)),
      { numRuns: 1_500 },
    );
  });

  test("that is noise never breaks out", () => {
    const noise = fc.array(pieces, { maxLength: 30 }).map((parts) => `package io.choria.aaasvc\n${parts.join("")}`);
    fc.assert(
      fc.property(noise, (source) => survive(source, {})),
      { numRuns: 1_000 },
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (source) => survive(source, {})));
  });
});

test.each([[Number.NaN], [Number.POSITIVE_INFINITY], [() => 1], [Symbol("s")]])(
  "an input of %p is an error",
  (input) => {
    const policy = compileRego("package t\np := input.x");
    expect(() => policy.evaluate("data.t.p", { input: { x: input } })).toThrow(RegoError);
  },
);

describe("the order of values", () => {
  const json = fc.jsonValue({ maxDepth: 3 }).map(toRego);

  test("is total and agrees with equality and keys", () => {
    fc.assert(
      fc.property(json, json, (a: RegoValue, b: RegoValue) => {
        expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) || 0);
        expect(compareValues(a, b) === 0).toBe(equalValues(a, b));
        expect(keyOf(a) === keyOf(b)).toBe(equalValues(a, b));
        expect(equalValues(a, a)).toBe(true);
      }),
    );
  });

  test("is transitive", () => {
    fc.assert(
      fc.property(json, json, json, (a: RegoValue, b: RegoValue, c: RegoValue) => {
        const [x, y, z] = [a, b, c].sort(compareValues);
        expect(compareValues(x ?? null, z ?? null)).toBeLessThanOrEqual(0);
        expect(compareValues(x ?? null, y ?? null)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

test("what goes through a policy comes out as it went in", () => {
  const policy = compileRego("package t\np := input.x");
  fc.assert(
    fc.property(fc.jsonValue(), (x) => {
      const found = policy.evaluate("data.t.p", { input: { x } }).value;
      expect(JSON.stringify(sorted(found))).toBe(JSON.stringify(sorted(JSON.parse(JSON.stringify(x)))));
    }),
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.entries(value)
    .map(([key, item]) => [key, sorted(item)])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}
