import { describe, expect, test } from "bun:test";
import { CompiledFilters, type DataQuery, FilterError, type FilterNode, matchFilter } from "../../lib/filter/mod.ts";
import { emptyFilter } from "../../lib/protocol/mod.ts";
import vectors from "../fixtures/server/filter_vectors.json";

const scouts: Record<string, unknown> = { swap: { state: "OK", history: ["OK", "CRITICAL"] } };
const data = new Map<string, DataQuery>([
  ["scout", (query) => scouts[query] ?? { state: "UNKNOWN" }],
  ["choria", () => ({ agents_count: 5, version: "0.29.4" })],
  [
    "nildata",
    () => {
      throw new Error("the plugin failed");
    },
  ],
]);
const node: FilterNode = {
  identity: "n1.example.net",
  agents: vectors.agents,
  classes: () => vectors.classes,
  facts: () => vectors.facts,
  data,
};

function matches(...queries: string[]): Promise<boolean> {
  return matchFilter({ ...emptyFilter(), compound: queries.map((expr) => [{ expr }]) }, node);
}

describe("compound filters mean what they mean to the original", () => {
  for (const { expr, match, logged_error: error } of vectors.compound_cases) {
    test(JSON.stringify(expr), async () => {
      if (error === undefined) expect(await matches(expr)).toBe(match);
      else await expect(matches(expr)).rejects.toThrow(new FilterError(error.split("\n")[0]));
    });
  }
});

describe("several compound filters", () => {
  test("match when more of them hold than do not", async () => {
    expect(await matches("true", "true", "false")).toBe(true);
    expect(await matches("true", "false")).toBe(false);
    expect(await matches("false", "false", "true")).toBe(false);
  });

  test("match nobody when one of them has no answer", async () => {
    await expect(matches("true", "fact('missing') > 1", "true")).rejects.toThrow(FilterError);
  });

  test("hold one expression each", async () => {
    const filter = { ...emptyFilter(), compound: [[{ expr: "true" }, { expr: "true" }]] };
    expect(await matchFilter(filter, node)).toBe(false);
    expect(await matchFilter({ ...filter, compound: [[]] }, node)).toBe(false);
  });

  test("come after all other kinds", async () => {
    const filter = { ...emptyFilter(), identity: ["n2"], compound: [[{ expr: "1 +" }]] };
    expect(await matchFilter(filter, node)).toBe(false);
  });
});

describe("a compound filter", () => {
  test("that compares a fact with what it cannot be compared with does not match it", async () => {
    expect(await matches("with('virtual>5')")).toBe(false);
    expect(await matches("not with('virtual>5')")).toBe(true);
  });

  test("finds no data where a plugin fails", async () => {
    expect(await matches("nildata('x').foo == nil and nildata() == nil")).toBe(true);
  });

  test("sees whole numbers of data plugins as integers", async () => {
    expect(await matches("choria().agents_count % 2 == 1")).toBe(true);
  });

  test("sees the facts as JSON", async () => {
    expect(await matches('facts matches \'"name":"Linux"\'')).toBe(true);
  });

  test("asks the clock of the node", async () => {
    const late = { ...node, now: () => Date.UTC(2030, 0, 1, 12) };
    const filter = { ...emptyFilter(), compound: [[{ expr: "now().Unix() == 1893499200" }]] };
    expect(await matchFilter(filter, late)).toBe(true);
  });

  test("from the network holds nobody up", async () => {
    const greedy = [
      "any(1..1000, any(1..1000, any(1..1000, # < 0)))",
      "any(1..100000, with('/(a|b|c){200}x/'))",
      "any(1..100000, fact('**********x') == 1)",
      "any(1..100000, semver('1.2.3', '< 1.0.0 || < 1.0.0 || < 1.0.0'))",
      `${"with('x') or ".repeat(1_200)}true`,
      "with('x') or ".repeat(3_000),
    ];
    for (const query of greedy) {
      const start = performance.now();
      await expect(matches(query)).rejects.toThrow(FilterError);
      expect(performance.now() - start).toBeLessThan(1_000);
    }
    await expect(matches(...Array.from({ length: 65 }, () => "true"))).rejects.toThrow("more than 64 expressions");
  });
});

describe("expressions that were compiled", () => {
  const asked = (expr: string, compiled: CompiledFilters, plugins = data) =>
    matchFilter({ ...emptyFilter(), compound: [[{ expr }]] }, { ...node, data: plugins, compiled });

  test("are kept, as many as there is room for", async () => {
    const compiled = new CompiledFilters();
    for (let i = 0; i < 300; i++) await asked(`${i} == ${i % 150}`, compiled);
    expect(compiled.size).toBe(100);
    expect(await asked("1 == 1", compiled)).toBe(true);
    expect(await asked('scout("swap").state == "OK"', compiled)).toBe(true);
    expect(await asked('scout("swap").state == "OK"', compiled)).toBe(true);
  });

  test("are forgotten when the node's data plugins change", async () => {
    const compiled = new CompiledFilters();
    expect(await asked('scout("swap").state == "OK"', compiled)).toBe(true);
    await expect(asked('scout("swap").state == "OK"', compiled, new Map())).rejects.toThrow("scout");
    expect(await asked('scout("swap").state == "OK"', compiled)).toBe(true);
  });
});
