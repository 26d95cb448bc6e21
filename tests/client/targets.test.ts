import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { batchesOf, filterOf, limitTargets } from "../../lib/client/mod.ts";

const nodes = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 50 });

describe("limits", () => {
  test("take the first, never more than there are", () => {
    fc.assert(
      fc.property(nodes, fc.integer({ min: 1, max: 100 }), (all, limit) => {
        expect(limitTargets(all, { limit: String(limit) })).toEqual(all.slice(0, limit));
      }),
    );
  });

  test("by chance take some of them, each once, and the same for the same seed", () => {
    fc.assert(
      fc.property(nodes, fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1 }), (all, limit, seed) => {
        const options = { limit: String(limit), method: "random", seed } as const;
        const taken = limitTargets(all, options);
        expect(taken).toHaveLength(Math.min(limit, all.length));
        expect(new Set(taken).size).toBe(taken.length);
        expect(taken.every((node) => all.includes(node))).toBe(true);
        expect(limitTargets(all, options)).toEqual(taken);
      }),
    );
    const many = Array.from({ length: 100 }, (_, i) => `n${i}`);
    expect(limitTargets(many, { limit: "100", method: "random", seed: 7 })).not.toEqual(many);
  });

  test("in percent are cut to whole nodes", () => {
    expect(limitTargets(["a", "b", "c"], { limit: "67%" })).toEqual(["a", "b"]);
    expect(limitTargets(["a", "b", "c"], { limit: "150%" })).toEqual(["a", "b", "c"]);
  });

  test("that leave nobody, or cannot be read, are refused", () => {
    const none = (limit: string) => () => limitTargets(["a"], { limit });
    expect(none("0")).toThrow("no targets left after applying target limits of '0'");
    expect(none("-1")).toThrow("no targets left after applying target limits of '-1'");
    expect(none("10%")).toThrow("no targets left after applying target limits of '10%'");
    expect(none("some")).toThrow("could not parse limit as either number or percent");
  });
});

describe("batches", () => {
  test("hold every node once, in order, at most so many each", () => {
    fc.assert(
      fc.property(nodes, fc.integer({ min: 0, max: 20 }), (all, size) => {
        const batches = batchesOf(all, size);
        expect(batches.flat()).toEqual(all);
        if (size > 0) for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(size);
        else expect(batches.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("filters as people type them", () => {
  test("become the filter of a request", () => {
    const filter = filterOf({
      facts: ["country=mt", "memory.size=>10"],
      classes: ["/web/"],
      agents: ["rpcutil"],
      identities: ["n1"],
      combined: ["apache os=linux", " nginx "],
      compound: "true",
    });
    expect(filter).toEqual({
      fact: [
        { fact: "country", operator: "==", value: "mt" },
        { fact: "memory.size", operator: ">=", value: "10" },
        { fact: "os", operator: "==", value: "linux" },
      ],
      cf_class: ["/web/", "apache", "nginx"],
      agent: ["rpcutil"],
      identity: ["n1"],
      compound: [[{ expr: "true" }]],
    });
  });

  test("name the fact that cannot be read", () => {
    const text = "could not parse filters: could not parse fact x= it does not appear to be in a valid format";
    expect(() => filterOf({ facts: ["x="] })).toThrow(text);
  });
});
