import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  parseTemplate,
  renderTemplate,
  TemplateError,
  TemplateFault,
  type TemplateModel,
} from "../../lib/template/mod.ts";

/** The plainest of models: JavaScript's own values. */
const model: TemplateModel<unknown> = {
  literal: (value) => (typeof value === "bigint" ? Number(value) : value),
  isTrue: Boolean,
  show: String,
  field(value, name) {
    if (typeof value === "object" && value !== null && name in value) return Reflect.get(value, name);
    throw new TemplateFault(`no field ${name}`);
  },
  entries: (value) => (Array.isArray(value) ? [...value.entries()] : []),
  call: (name, args) => `${name}(${args.join(",")})`,
};

function render(text: string, dot: unknown = {}): string {
  return renderTemplate(
    parseTemplate("t", text, (name) => name === "f" || name === "g"),
    model,
    dot,
  );
}

function faultOf(text: string, dot: unknown = {}): string {
  try {
    return `no fault: ${render(text, dot)}`;
  } catch (error) {
    return error instanceof TemplateError ? error.message : `another error: ${error}`;
  }
}

describe("a template", () => {
  const cases: [template: string, dot: unknown, text: string][] = [
    ["plain }} text", {}, "plain }} text"],
    ["a {{- 1 -}} b", {}, "a1b"],
    ["a {{-1}} b", {}, "a -1 b"],
    ["a{{/* nothing }} here */}}b", {}, "ab"],
    ['{{ "}}" }}{{ `a"b` }}{{ "\\x41\\u00e9\\n" }}', {}, '}}a"bAé\n'],
    ["{{ .a.b }}{{ $.a.b }}", { a: { b: 7 } }, "77"],
    ["{{ f 1 .a | g (f 2) }}", { a: "x" }, "g(f(2),f(1,x))"],
    ["{{ (f 1) }}{{ f }}", {}, "f(1)f()"],
    ["{{ $x := .a }}{{ with .b }}{{ . }}{{ $x }}{{ end }}", { a: 1, b: 2 }, "21"],
    ["{{ if .a }}1{{ else if .b }}2{{ else }}3{{ end }}", { a: 0, b: 1 }, "2"],
    ["{{ if .a }}1{{ else if .b }}2{{ else }}3{{ end }}", { a: 0, b: 0 }, "3"],
    ["{{ range $i, $x := . }}{{ $i }}{{ $x }}{{ . }};{{ else }}none{{ end }}", ["a", "b"], "0aa;1bb;"],
    ["{{ range . }}x{{ else }}none{{ end }}", [], "none"],
  ];
  for (const [template, dot, text] of cases) {
    test(`${template} gives ${text.trim()}`, () => expect(render(template, dot)).toBe(text));
  }

  const faults: [template: string, message: string][] = [
    ["a\n{{ if 1 }}", "template: t:2: unexpected EOF"],
    ["{{ end }}", "template: t:1: unexpected {{end}}"],
    ["{{ f", "template: t:1: unclosed action"],
    ['{{ "a }}', "template: t:1: unterminated quoted string"],
    ["{{ }}", "template: t:1: missing value for command"],
    ["{{ (f 1 }}", "template: t:1: unclosed left paren"],
    ["{{ nope }}", 'template: t:1: function "nope" not defined'],
    ['{{ define "x" }}{{ end }}', "template: t:1: unsupported template action define"],
    ["é\né {{ .gone }}", 'template: t:2:6: executing "t" at <.gone>: no field gone'],
    ["{{ 1 2 }}", 'template: t:1:3: executing "t" at <1>: can\'t give argument to non-function 1'],
    ["{{ $gone }}", 'template: t:1:3: executing "t" at <$gone>: undefined variable "$gone"'],
  ];
  for (const [template, message] of faults) {
    test(`${JSON.stringify(template)} is refused with line and reason`, () => expect(faultOf(template)).toBe(message));
  }

  test("of any text either becomes a text or is refused", () => {
    const part = fc.constantFrom(
      "{{",
      "}}",
      "{{-",
      "-}}",
      "if",
      "end",
      "else",
      "range",
      "(",
      ")",
      "|",
      '"',
      "$x",
      ":=",
      " ",
      ".a",
      "f",
      "1",
      "/*",
      "*/",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string())), (parts) => {
        expect(faultOf(parts.join(""), { a: [1] })).not.toStartWith("another error");
      }),
    );
  });

  test("that is nested deep or long is done with quickly", () => {
    expect(faultOf("{{ if 1 }}".repeat(10_000))).toContain("nested too deep");
    expect(faultOf(`{{ ${"(".repeat(10_000)}`)).toContain("unclosed action");
    expect(faultOf(`{{ ${"(".repeat(10_000)} }}`)).toContain("nested too deep");
    expect(faultOf(`{{${" ".repeat(1_000_000)}`)).toContain("unclosed action");
  });
});
