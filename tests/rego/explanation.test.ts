import { describe, expect, test } from "bun:test";
import { compileRego, runRegoCases } from "../../lib/rego/mod.ts";

const SOURCE = `package io.choria.aaasvc

import rego.v1

default allow := false

allow if {
  input.agent == "puppet"
  input.action == "status"
}

allow if {
  is_admin
  input.site == "lon"
}

is_admin if input.claims.admin == true
`;

const QUERY = "data.io.choria.aaasvc.allow";
const policy = compileRego(SOURCE, { filename: "allow.rego" });

describe("an explanation", () => {
  test("says where each rule stopped when none allowed", () => {
    const input = { agent: "puppet", action: "run", claims: { admin: true }, site: "par" };
    const { value, explanation } = policy.evaluate(QUERY, { input, explain: true });
    expect(value).toBe(false);
    expect(explanation?.lines).toEqual([
      "data.io.choria.aaasvc.allow (allow.rego:5) took its default",
      'data.io.choria.aaasvc.allow (allow.rego:7) did not hold: line 9: input.action == "status"',
      'data.io.choria.aaasvc.allow (allow.rego:12) did not hold: line 14: input.site == "lon"',
      "data.io.choria.aaasvc.is_admin (allow.rego:17) held",
    ]);
  });

  test("says which rule allowed", () => {
    const { value, explanation } = policy.evaluate(QUERY, {
      input: { agent: "puppet", action: "status" },
      explain: true,
    });
    expect(value).toBe(true);
    expect(explanation?.rules.find((rule) => rule.held)).toEqual({
      rule: QUERY,
      filename: "allow.rego",
      row: 7,
      isDefault: false,
      held: true,
    });
  });

  test("is made on request only and changes no verdict", () => {
    expect(policy.evaluate(QUERY, { input: {} }).explanation).toBeUndefined();
    expect(policy.evaluate(QUERY, { input: {}, explain: true }).value).toBe(false);
  });
});

describe("a table of cases", () => {
  test("tells passed from failed ones with a reason", () => {
    const results = runRegoCases(policy, QUERY, [
      { name: "status is open to all", input: { agent: "puppet", action: "status" }, want: true },
      { name: "admins of London", input: { claims: { admin: true }, site: "lon" }, want: true },
      { name: "a wrong expectation", input: { agent: "rpcutil" }, want: true },
    ]);
    expect(results.map(({ passed }) => passed)).toEqual([true, true, false]);
    expect(results[2]?.reason).toBe("wanted true, found false");
    expect(results[2]?.explanation?.lines.length).toBeGreaterThan(0);
  });

  test("can want errors and undefined values", () => {
    const odd = compileRego("package t\nimport rego.v1\np := 1 if input.a\np := 2 if input.b", {
      filename: "odd.rego",
    });
    const results = runRegoCases(odd, "data.t.p", [
      { name: "both", input: { a: 1, b: 1 }, wantError: "multiple outputs" },
      { name: "none", input: {} },
      { name: "unexpected error", input: { a: 1, b: 1 }, want: 1 },
    ]);
    expect(results.map(({ passed }) => passed)).toEqual([true, true, false]);
    expect(results[2]?.reason).toContain("found the error");
  });
});
