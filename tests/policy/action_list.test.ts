import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { evaluateActionList } from "../../lib/policy/mod.ts";

describe("evaluateActionList()", () => {
  test.each([
    [["*"], "package", "install", 'allowed by the action list entry "*"'],
    [["rpcutil.*"], "rpcutil", "ping", 'allowed by the action list entry "rpcutil.*"'],
    [["rpcutil.*", "package.status"], "package", "status", 'allowed by the action list entry "package.status"'],
    [["other.x", "*"], "package", "status", 'allowed by the action list entry "*"'],
  ])("allows by %j a call of %s.%s and names the entry", (entries, agent, action, reason) => {
    expect(evaluateActionList(entries, agent, action)).toEqual({ allowed: true, reason });
  });

  test.each([
    [[], "package", "status"],
    [["package.status"], "package", "install"],
    [["rpcutil.*"], "package", "status"],
    [["package.Status"], "package", "status"],
  ])("refuses by %j a call of %s.%s and names the call", (entries, agent, action) => {
    const reason = `no entry of the action list allows ${agent}.${action}`;
    expect(evaluateActionList(entries, agent, action)).toEqual({ allowed: false, reason });
  });

  test.each([["rpcutil"], ["a.b.c"], [""]])("ends at the entry %j, which is of another form", (entry) => {
    const decision = evaluateActionList(["x.y", entry, "*"], "other", "z");
    expect(decision).toEqual({ allowed: false, reason: `invalid agent policy: ${entry}` });
  });

  test("lets an entry before the one of another form allow the call", () => {
    expect(evaluateActionList(["rpcutil.*", "broken"], "rpcutil", "ping").allowed).toBe(true);
  });

  test("allows nothing that no entry names", () => {
    const word = fc.stringMatching(/^[a-z_]{1,6}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(word, fc.oneof(word, fc.constant("*")))), word, word, (pairs, agent, action) => {
        const entries = pairs.map((pair) => pair.join("."));
        const isNamed = pairs.some(([a, b]) => a === agent && (b === "*" || b === action));
        expect(evaluateActionList(entries, agent, action).allowed).toBe(isNamed);
      }),
    );
  });
});
