import { describe, expect, test } from "bun:test";
import { builtinDdls, convertInputs, findAction } from "../../lib/ddl/mod.ts";
import { compileRe2 } from "../../lib/re2/mod.ts";

describe("validations of the built-in DDLs", () => {
  test("compile, every one", () => {
    const patterns = builtinDdls
      .flatMap(({ actions }) => actions.flatMap(({ input }) => Object.values(input)))
      .map(({ validation }) => validation)
      .filter((validation) => validation !== undefined && !/^[a-z]/.test(validation));
    expect(patterns.length).toBeGreaterThan(20);
    for (const pattern of patterns) expect(() => compileRe2(pattern ?? "")).not.toThrow();
  });

  test("are applied as Go applies them", () => {
    const provision = builtinDdls.find(({ metadata }) => metadata.name === "choria_provision");
    if (provision === undefined) throw new Error("there is no choria_provision");
    const configure = findAction(provision, "configure");
    expect(convertInputs(configure, { config: "{x}" }).config).toBe("{x}");
    expect(() => convertInputs(configure, { config: "x" })).toThrow("input does not match '^{.+}$'");
  });

  test("take no longer for a text that makes others backtrack", () => {
    const csr = builtinDdls.find(({ metadata }) => metadata.name === "choria_provision");
    if (csr === undefined) throw new Error("there is no choria_provision");
    const start = performance.now();
    expect(() => convertInputs(findAction(csr, "gencsr"), { cn: `${"a".repeat(79)}!` })).toThrow("does not match");
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
