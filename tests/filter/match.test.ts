import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  FilterError,
  type FilterNode,
  matchAgents,
  matchClasses,
  matchFact,
  matchFilter,
  matchIdentity,
} from "../../lib/filter/mod.ts";
import {
  emptyFilter,
  type FactFilter,
  type FactOperator,
  type Filter,
  parseFactFilter,
} from "../../lib/protocol/mod.ts";
import { parseExact } from "../../lib/std/mod.ts";
import vectors from "../fixtures/server/filter_vectors.json";

// Read once more with all digits: one fact holds an integer beyond 2^53.
const text = readFileSync(join(import.meta.dir, "../fixtures/server/filter_vectors.json"), "utf8");
const { facts } = parseExact(text) as { facts: unknown };

describe("facts are compared as the original compares them", () => {
  for (const { fact, operator, value, match, error } of vectors.fact_cases) {
    test(`${fact} ${operator} ${JSON.stringify(value)}`, () => {
      const filter: FactFilter = { fact, operator: operator as FactOperator, value };
      if (error !== undefined) expect(() => matchFact(facts, filter)).toThrow(FilterError);
      else expect(matchFact(facts, filter)).toBe(match);
    });
  }
});

describe("classes are compared as the original compares them", () => {
  for (const { filter, match } of vectors.class_cases) {
    test(JSON.stringify(filter), () => expect(matchClasses(filter, vectors.classes)).toBe(match));
  }
});

describe("agents are compared as the original compares them", () => {
  for (const { filter, match } of vectors.agent_cases) {
    test(JSON.stringify(filter), () => expect(matchAgents(filter, vectors.agents)).toBe(match));
  }
});

describe("identities are compared as the original compares them", () => {
  for (const { filter, identity, match } of vectors.identity_cases) {
    test(`${filter} with ${identity}`, () => expect(matchIdentity([filter], identity)).toBe(match));
  }
});

describe("fact filters are read as the original reads them", () => {
  for (const { input, error, fact, operator, value } of vectors.parse_cases) {
    test(input, () => {
      if (error !== undefined) expect(() => parseFactFilter(input)).toThrow(error);
      else expect(parseFactFilter(input) as unknown).toEqual({ fact, operator, value });
    });
  }
});

describe("a filter", () => {
  const node: FilterNode = {
    identity: "n1.example.net",
    agents: vectors.agents,
    classes: () => vectors.classes,
    facts: () => vectors.facts,
  };
  const linux: FactFilter = { fact: "os.name", operator: "==", value: "Linux" };
  const matches = (filter: Partial<Filter>, target = node) => matchFilter({ ...emptyFilter(), ...filter }, target);

  test("that is empty means everybody", async () => {
    expect(await matches({})).toBe(true);
  });

  test("means a node that every kind of it matches", async () => {
    const all = { identity: ["/n1/"], agent: ["rpcutil"], cf_class: ["apache"], fact: [linux] };
    expect(await matches(all)).toBe(true);
    for (const kind of ["identity", "agent", "cf_class"] as const) {
      expect(await matches({ ...all, [kind]: ["nope"] })).toBe(false);
    }
    expect(await matches({ ...all, fact: [linux, { ...linux, value: "BSD" }] })).toBe(false);
  });

  test("means a node of any of its identities, but of all its classes and agents", async () => {
    expect(await matches({ identity: ["nope", "n1.example.net"] })).toBe(true);
    expect(await matches({ cf_class: ["nope", "apache"] })).toBe(false);
    expect(await matches({ agent: ["nope", "rpcutil"] })).toBe(false);
  });

  test("does not ask for facts and classes that it does not need", async () => {
    const frugal = {
      ...node,
      classes: () => expect.unreachable(),
      facts: () => expect.unreachable(),
    };
    expect(await matches({ identity: ["n1.example.net"] }, frugal)).toBe(true);
    expect(await matches({ identity: ["n2"], cf_class: ["x"], fact: [linux] }, frugal)).toBe(false);
  });

  test("with a condition that has no answer means nobody", async () => {
    await expect(matches({ fact: [{ ...linux, operator: "=~", value: "(" }] })).rejects.toThrow(FilterError);
  });

  test("with more expressions than a node can afford means nobody", async () => {
    const many = <T>(item: T) => Array.from({ length: 65 }, () => item);
    for (const kind of ["identity", "agent", "cf_class"] as const) {
      await expect(matches({ [kind]: many("/(.{1000})/") })).rejects.toThrow("more than 64 expressions");
    }
    await expect(matches({ fact: many(linux) })).rejects.toThrow("more than 64 expressions");
    expect(await matches({ identity: ["n1.example.net", ...Array.from({ length: 5_000 }, (_, at) => `n${at}`)] })).toBe(
      true,
    );
  });

  test("whose regular expressions take too long means nobody", async () => {
    const long = { ...node, identity: "n".repeat(250) };
    const slow = Array.from({ length: 60 }, (_, at) => `/[no]{${at + 100}}[a-m]/`);
    await expect(matches({ identity: slow }, long)).rejects.toThrow("too many steps");
    expect(await matches({ identity: ["/[no]{100}/"] }, long)).toBe(true);
  });

  test("whose conditions visit too many values together means nobody", async () => {
    const fact = `${"[@this,@this]|@flatten|".repeat(10)}@tostr`;
    const costly: FactFilter = { fact, operator: "!=", value: "x" };
    expect(await matches({ fact: [costly] })).toBe(true);
    await expect(matches({ fact: Array.from({ length: 60 }, () => costly) })).rejects.toThrow(FilterError);
  });
});
