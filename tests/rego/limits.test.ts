import { describe, expect, test } from "bun:test";
import { compileRego, RegoError, type RegoLimits } from "../../lib/rego/mod.ts";

/** Longest time that any of these may block the process, in milliseconds. */
const PATIENCE = 5_000;

function failure(run: () => unknown): RegoError {
  const start = performance.now();
  try {
    run();
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    expect(performance.now() - start).toBeLessThan(PATIENCE);
    return error;
  }
  throw new Error("no error");
}

function evaluate(body: string, limits: RegoLimits = { timeMs: 1_000 }, input: unknown = {}): unknown {
  const policy = compileRego(`package t\n\nimport rego.v1\n\n${body}\n`);
  return policy.evaluate("data.t.p", { input, limits }).value;
}

/** A rule that doubles a value many times over. */
function doubled(start: string, step: (name: string) => string, times: number): string {
  const lines = Array.from({ length: times }, (_, i) => `x${i + 1} := ${step(`x${i}`)}`);
  return `x0 := ${start}\n${lines.join("\n")}\n`;
}

describe("an evaluation is stopped", () => {
  test("when it loops for too long", () => {
    const loop = "p if { some a in numbers.range(1, 100000); some b in numbers.range(1, 100000); a * b == -1 }";
    expect(failure(() => evaluate(loop, { steps: 100_000 })).message).toContain("more than 100000 steps");
    expect(failure(() => evaluate(loop, { steps: 1e15, timeMs: 100 })).message).toContain("more than 100 ms");
  });

  test("when its rules are nested too deep", () => {
    const chain = Array.from({ length: 300 }, (_, i) => `f${i}(x) := f${i + 1}(x)`).join("\n");
    const source = `${chain}\nf300(x) := x\np := f0(1)`;
    expect(failure(() => evaluate(source)).message).toContain("rules nested deeper than 200");
    expect(evaluate(source, { depth: 400 })).toBe(1);
  });

  test("but not when functions call each other twice with the same arguments", () => {
    const chain = Array.from({ length: 60 }, (_, i) => `f${i}(x) := f${i + 1}(x) + f${i + 1}(x)`).join("\n");
    expect(evaluate(`${chain}\nf60(x) := x\np := f0(1)`)).toBe(2n ** 60n);
  });

  test("when a comprehension grows too large", () => {
    const body = "p := count([[a, b] | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000)])";
    expect(failure(() => evaluate(body, { resultBytes: 1_000_000 })).message).toContain("more than 1000000 bytes");
  });

  test("when a text doubles again and again", () => {
    const body = `${doubled('"ab"', (x) => `concat("", [${x}, ${x}])`, 40)}p := count(x40)`;
    expect(failure(() => evaluate(body)).code).toBe("eval_limit_error");
  });

  test("when a shared value is compared or printed in full", () => {
    const bomb = (name: string) => doubled("[1]", (x) => `[${x}, ${x}]`, 40).replaceAll(/\bx(?=\d)/g, name);
    expect(failure(() => evaluate(`${bomb("a")}${bomb("b")}p := a40 == b40`)).code).toBe("eval_limit_error");
    expect(failure(() => evaluate(`${bomb("a")}p := json.marshal(a40)`)).code).toBe("eval_limit_error");
    expect(failure(() => evaluate(`${bomb("a")}p := {a40}`)).code).toBe("eval_limit_error");
    expect(failure(() => evaluate(`${bomb("a")}p := a40`)).code).toBe("eval_limit_error");
    expect(failure(() => evaluate(`${bomb("a")}p := sprintf("%v", [a40])`)).code).toBe("eval_limit_error");
  });

  test("when a replacement would be huge", () => {
    const long = '"a"'.replace("a", "a".repeat(20_000));
    const body = `p := count(replace(${long}, "a", ${long}))`;
    expect(failure(() => evaluate(body)).code).toBe("eval_limit_error");
  });

  test("when it pads texts without end", () => {
    const body = `p := count(sprintf("${"%9999d".repeat(20_000)}", numbers.range(1, 20000)))`;
    expect(failure(() => evaluate(body)).code).toBe("eval_limit_error");
  });

  test("when the input is nested without end", () => {
    let input: unknown = 1;
    for (let i = 0; i < 200_000; i++) input = [input];
    expect(failure(() => evaluate("p if input == 2", {}, input)).code).toBe("eval_limit_error");
  });
});

describe("numbers stay in bounds", () => {
  test("a shift that would fill the memory is undefined", () => {
    expect(evaluate("p := bits.lsh(1, 1000000000000)")).toBeUndefined();
  });

  test("squares of squares become undefined", () => {
    const body = `${doubled("9007199254740993", (x) => `${x} * ${x}`, 40)}p := x40`;
    expect(evaluate(body)).toBeUndefined();
  });

  test("a number with a huge exponent is refused", () => {
    expect(failure(() => evaluate("p := 1e999999999")).code).toBe("rego_parse_error");
    expect(evaluate('p := to_number("1e999999999")')).toBeUndefined();
  });

  test("a range that would fill the memory is undefined or stopped", () => {
    expect(evaluate("p := count(numbers.range(1, 1000000000000))")).toBeUndefined();
  });
});

describe("hostile patterns and texts are harmless", () => {
  const long = "a".repeat(50_000);

  test.each([
    ["nested repetition", `regex.match("(a+)+$", input.text)`, false],
    ["many alternatives", `regex.match("^(a|a|aa|a?)*$", input.text)`, false],
    ["counted repetition", `regex.match("(a{0,100}){0,100}b$", input.text)`, undefined],
    ["a pattern too large", `regex.match("((a{500}){500}){500}", input.text)`, undefined],
    ["a replacement", `count(regex.replace(input.text, "(a*)*b", "x"))`, undefined],
    ["a glob", `glob.match("*a*a*a*a*a*a*a*a*a*b", [], input.text)`, false],
  ])("%s", (_, call, wanted) => {
    const start = performance.now();
    try {
      const value = evaluate(`p := ${call}`, { timeMs: 1_000 }, { text: `${long}!` });
      if (wanted !== undefined) expect(value).toBe(wanted);
    } catch (error) {
      expect(error).toBeInstanceOf(RegoError);
    }
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  });

  test.each([
    ["trim_space", "trim_space(input.text)", `x${" ".repeat(200_000)}x`],
    ["to_number", "to_number(input.text)", `${"1".repeat(200_000)}x`],
    ["time.parse_duration_ns", "time.parse_duration_ns(input.text)", "1".repeat(200_000)],
    ["units.parse", "units.parse(input.text)", `${"1".repeat(200_000)}x`],
    ["semver", "semver.is_valid(input.text)", `${"1.".repeat(100_000)}x`],
    ["indexof_n", `indexof_n(input.text, "${"a".repeat(5_000)}b")`, "a".repeat(200_000)],
    ["json.unmarshal", "json.unmarshal(input.text)", "[".repeat(200_000)],
    ["yaml.unmarshal", "yaml.unmarshal(input.text)", "[".repeat(20_000)],
    ["x509", "crypto.x509.parse_certificates(input.text)", "-----BEGIN A-----\n".repeat(20_000)],
    ["jwt", "io.jwt.verify_rs256(input.text, input.text)", "-----BEGIN A-----\n".repeat(20_000)],
    ["time layout", 'time.parse_ns(input.text, "x")', "Jan".repeat(50_000)],
    ["template", "strings.render_template(input.text, {})", `{{${" ".repeat(100_000)}`],
    ["sprintf", "sprintf(input.text, [])", "%".repeat(200_000)],
    ["uri", "uri.parse(input.text)", "a:".repeat(100_000)],
  ])("%s", (_, call, text) => {
    const start = performance.now();
    try {
      evaluate(`p := ${call}`, { timeMs: 1_000 }, { text });
    } catch (error) {
      expect(error).toBeInstanceOf(RegoError);
    }
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  });
});

describe("hostile policy texts are refused", () => {
  test.each([
    ["brackets", `p := ${"[".repeat(50_000)}`],
    ["parentheses", `p := ${"(".repeat(50_000)}1`],
    ["comprehensions", `p := ${"[x | ".repeat(20_000)}`],
    ["braces", `p if ${"{".repeat(20_000)}`],
    ["operators", `p := ${"-".repeat(50_000)}1`],
    ["references", `p := a${"[a".repeat(20_000)}`],
    ["negations", `p if ${"not ".repeat(20_000)}true`],
    ["templates", `p := ${'$"{'.repeat(20_000)}`],
  ])("nested %s", (_, body) => {
    expect(failure(() => evaluate(body)).code).toBe("rego_parse_error");
  });

  test("a long chain of operators compiles or is refused, quickly", () => {
    const start = performance.now();
    try {
      expect(evaluate(`p := 1${" + 1".repeat(20_000)}`, { timeMs: 2_000 })).toBe(20_001);
    } catch (error) {
      expect(error).toBeInstanceOf(RegoError);
    }
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  });

  test("a body in the worst order is put in order or refused, quickly", () => {
    const start = performance.now();
    const lines = Array.from({ length: 5_000 }, (_, i) => `x${i} = x${i + 1} + 1`);
    try {
      evaluate(`p := x0 if {\n${lines.join("\n")}\nx5000 = 1\n}`, { timeMs: 2_000 });
    } catch (error) {
      expect(error).toBeInstanceOf(RegoError);
    }
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  });

  test("a text beyond all measure", () => {
    expect(failure(() => evaluate(`# ${"x".repeat(2_000_000)}`)).detail).toContain("longer than");
  });
});
