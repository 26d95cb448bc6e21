import { describe, expect, test } from "bun:test";
import { renderMachineTemplate } from "../../lib/machine/template.ts";
import vectors from "../fixtures/machines/template.json" with { type: "json" };

interface Case {
  template: string;
  out?: string;
  error?: string;
}

function rendered(template: string): string {
  try {
    return renderMachineTemplate(template, vectors.input);
  } catch (error) {
    return error instanceof Error ? `error: ${error.message}` : String(error);
  }
}

describe("a watcher's template", () => {
  for (const { template, out, error } of vectors.cases as Case[]) {
    test(`${template} gives what peers make of it`, () => {
      expect(rendered(template)).toBe(out ?? `error: ${error}`);
    });
  }

  test("formats as peers do", () => {
    expect(rendered('{{ printf "%5d|%-4s|%05d|%x|%q|%t|%.2f|%s" 42 "ab" 7 "hi" "q" true 1.5 3 }}')).toBe(
      '   42|ab  |00007|6869|"q"|true|1.50|%!s(int=3)',
    );
    expect(rendered('{{ printf "%v %v" 1 }} {{ printf "a" 2 }}')).toBe("1 %!v(MISSING) a%!(EXTRA int=2)");
    expect(rendered("{{ 1000000.0 }} {{ 123456.0 }} {{ 0.00001 }} {{ 0.0001 }}")).toBe("1e+06 123456 1e-05 0.0001");
  });

  test("cannot grow without an end", () => {
    const loop = "{{ range lookup `facts.l` 0 }}".repeat(22) + "x".repeat(100) + "{{ end }}".repeat(22);
    expect(rendered(loop)).toContain("becomes longer than");
  });

  test("reaches nothing but data and facts", () => {
    expect(rendered('{{ lookup "facts.__proto__" "none" }}{{ lookup "constructor" "none" }}')).toBe("nonenone");
    expect(rendered("{{ constructor }}")).toBe('error: template: machine:1: function "constructor" not defined');
  });
});
