import { describe, expect, test } from "bun:test";
import { compileModules, compileRego } from "../../lib/rego/mod.ts";

const TEXT = `# METADATA
# title: Everything about agents
# organizations: [Ops]
package site.agents

import rego.v1

# METADATA
# scope: document
# description: who may do what

# METADATA
# title: Operators may
# authors:
# - Ann <ann@example.net>
# - name: Bob
# related_resources:
# - https://example.net/rules
# custom:
#   severity: high
allow if rego.metadata.rule().custom.severity == input.severity

chain := rego.metadata.chain()

# METADATA
# title: [not, a, text
broken := rego.metadata.rule()

rule := r if rego.metadata.rule(r)

about := rego.metadata.chain()[0].path

# METADATA
# entrypoint: true
entry := rego.metadata.chain()[1].annotations

# METADATA
# title: Operators may
# authors:
# - Ann <ann@example.net>
# - name: Bob
# related_resources:
# - https://example.net/rules
said := rego.metadata.rule()
`;

function value(name: string, input: unknown = {}): unknown {
  return compileRego(TEXT).evaluate(`data.site.agents.${name}`, { input }).value;
}

describe("annotations", () => {
  test("of a rule can be asked for in the rule", () => {
    expect(value("said")).toEqual({
      scope: "rule",
      title: "Operators may",
      authors: [{ name: "Ann", email: "ann@example.net" }, { name: "Bob" }],
      related_resources: [{ ref: "https://example.net/rules" }],
    });
    expect(value("allow", { severity: "high" })).toBe(true);
    expect(value("allow", { severity: "low" })).toBeUndefined();
  });

  test("form a chain from the rule to its package", () => {
    expect(value("chain")).toEqual([
      { path: ["site", "agents", "chain"] },
      {
        path: ["site", "agents"],
        annotations: { scope: "package", title: "Everything about agents", organizations: ["Ops"] },
      },
    ]);
    expect(value("about")).toEqual(["site", "agents", "about"]);
  });

  test("that are missing or cannot be read say nothing", () => {
    expect(value("broken")).toEqual({});
    expect(value("rule")).toEqual({});
  });

  test("of an entrypoint are those of all rules of its name", () => {
    expect(value("entry")).toEqual({ scope: "document", entrypoint: true });
  });

  test("of subpackages reach into other texts", () => {
    const outer = "# METADATA\n# scope: subpackages\n# title: All sites\npackage site";
    const inner = "package site.one\n\np := [x | some link in rego.metadata.chain(); x := link.annotations.title]";
    const policy = compileModules(
      [outer, inner].map((source, i) => ({ source, filename: `${i}.rego` })),
      { dialect: "v1" },
    );
    expect(policy.evaluate("data.site.one.p").value).toEqual(["All sites"]);
  });

  test("in a text full of them are read within bounds", () => {
    const source = `package a\n\nimport rego.v1\n${"# METADATA\n# title: x\np := 1\n".repeat(30_000)}q := rego.metadata.rule()\n`;
    const start = performance.now();
    expect(compileRego(source).evaluate("data.a.q", { limits: { timeMs: 60_000 } }).value).toEqual({});
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
