import { describe, expect, test } from "bun:test";
import { compileModules, compileRego, type RegoDialect, RegoError, type RegoFunction } from "../../lib/rego/mod.ts";

function failure(run: () => unknown): RegoError {
  try {
    run();
  } catch (error) {
    if (error instanceof RegoError) return error;
    throw error;
  }
  throw new Error("no error");
}

function value(body: string, input?: unknown): unknown {
  return compileRego(`package t\n\nimport rego.v1\n\n${body}\n`).evaluate("data.t.p", { input }).value;
}

describe("the dialect of a text", () => {
  test.each<[string, string, RegoDialect]>([
    ["both could be meant", "package a\ndefault allow = true", "v1"],
    ["a body without if", "package a\nallow { input.x }", "v0"],
    ["a body with if", "package a\nallow if input.x", "v1"],
    ["an import of rego.v1", "package a\nimport rego.v1\nallow if input.x", "v1"],
    ["a partial set without contains", "package a\nnames[x] { x := input.names[_] }", "v0"],
    ["a partial set with contains", "package a\nnames contains x if some x in input.names", "v1"],
    ["a function that v1 no longer has", 'package a\nallow = re_match("a", "b")', "v0"],
    ["future keywords and a body without if", "package a\nimport future.keywords.in\nallow { 1 in [1] }", "v0"],
  ])("%s", (_, source, dialect) => {
    expect(compileRego(source).dialect).toBe(dialect);
  });

  test("it can be forced", () => {
    expect(compileRego("package a\ndefault allow = true", { dialect: "v0" }).dialect).toBe("v0");
    expect(failure(() => compileRego("package a\nallow { true }", { dialect: "v1" })).message).toContain(
      "`if` keyword is required before rule body",
    );
    expect(failure(() => compileRego("package a\nallow if true", { dialect: "v0" })).code).toBe("rego_parse_error");
  });

  test("import rego.v1 overrules a wish for v0", () => {
    expect(compileRego("package a\nimport rego.v1\nallow if true", { dialect: "v0" }).dialect).toBe("v1");
  });

  test("a text that is wrong in both is explained in the dialect it looks like", () => {
    expect(failure(() => compileRego("package a\nallow if nosuch(1)")).message).toContain("undefined function nosuch");
    expect(failure(() => compileRego("package a\nallow { nosuch(1) }")).message).toContain("undefined function nosuch");
  });
});

describe("errors", () => {
  test.each([
    ["x := 1 2", 3, 8],
    ['p if {\n  input.x == "a\n}', 4, 16],
    ["p if { @ }", 3, 8],
  ])("a text that cannot be parsed is reported with its place: %s", (body, row, col) => {
    const error = failure(() => compileRego(`package t\n\n${body}`, { dialect: "v1" }));
    expect([error.code, error.row, error.col]).toEqual(["rego_parse_error", row, col]);
  });

  test("unsafe variables are named", () => {
    const error = failure(() => compileRego("package t\np if { x > y; not z }", { dialect: "v1" }));
    expect(error.problems.map((each) => each.message)).toEqual([
      "var x is unsafe",
      "var y is unsafe",
      "var z is unsafe",
    ]);
    expect(error.code).toBe("rego_unsafe_var_error");
  });

  test("a variable that only a negation mentions is unsafe", () => {
    expect(failure(() => value("p if not input.names[_]")).message).toContain("var _ is unsafe");
  });

  test.each([
    ["p if q\nq if p", "rule data.t.p is recursive: data.t.p -> data.t.q -> data.t.p"],
    ["f(x) := f(x)\np := f(1)", "rule data.t.f is recursive"],
    ["p if data.t[x]", "is recursive"],
  ])("recursion is refused: %s", (body, message) => {
    const error = failure(() => value(body));
    expect(error.code).toBe("rego_recursion_error");
    expect(error.message).toContain(message);
  });

  test.each([
    ["p := 1\np contains 2", "conflicting rules data.t.p found"],
    ["p := 1\np.q := 2", "rule data.t.p conflicts with [data.t.p.q]"],
    ["default p := 1\ndefault p := 2", "multiple default rules data.t.p found"],
    ["f(x) := 1\nf(x, y) := 2", "conflicting rules data.t.f found"],
    ["p if { x := 1; x := 2 }", "var x assigned above"],
    ["p if { input := 1 }", "variables must not shadow input"],
    ["p if count(1, 2, 3)", "count: arity mismatch"],
    ["p := re_match(`a`, `b`)", "undefined function re_match"],
    ["p if { some x; input.y }", "declared var x unused"],
    ["p if { count := 1; count([count]) }", "called function count shadowed"],
    ["default p := input.x", "illegal default rule"],
    ["p contains 1 if false\nelse := 2", "else keyword cannot be used on multi-value rules"],
    ["import data.a\nimport data.b as a\np := a", "import must not shadow import data.a"],
  ])("what cannot be meant is refused: %s", (body, message) => {
    expect(failure(() => value(body)).message).toContain(message);
  });

  test("rules that disagree fail the evaluation", () => {
    const error = failure(() => value("p := 1 if true\np := 2 if true"));
    expect(error.code).toBe("eval_conflict_error");
    expect(error.message).toBe("policy.rego:5: eval_conflict_error: complete rules must not produce multiple outputs");
    const below = failure(() => value("p.a := 1 if true\np.a := 2 if true"));
    expect(below.message).toBe("policy.rego:6: eval_conflict_error: complete rules must not produce multiple outputs");
  });

  test("an error of a built-in function is undefined, or a failure in strict mode", () => {
    const policy = compileRego("package t\np := 1 / input.x");
    expect(policy.evaluate("data.t.p", { input: { x: 0 } }).defined).toBe(false);
    const error = failure(() => policy.evaluate("data.t.p", { input: { x: 0 }, strictBuiltinErrors: true }));
    expect(error.message).toBe("policy.rego:2: eval_builtin_error: div: divide by zero");
  });
});

describe("values", () => {
  test("big integers stay exact", () => {
    expect(value("p := 9007199254740993 + 1")).toBe(9007199254740994n);
    expect(value("p := input.n * 2", { n: 9007199254740993n })).toBe(18014398509481986n);
    expect(value("p := json.unmarshal(`[123456789012345678901]`)[0]")).toBe(123456789012345678901n);
    expect(value("p := 28857836529306024611913 - 28857836529306024611912")).toBe(1);
  });

  test("decimals add up as they are written", () => {
    expect(value("p if 0.1 + 0.2 == 0.3")).toBe(true);
    expect(value("p := 1.1 * 1.1")).toBe(1.21);
  });

  test("sets come out as arrays in order, keys that are no strings as text", () => {
    expect(value('p := {3, 1, "a", [2], true, null}')).toEqual([null, true, 1, 3, "a", [2]]);
    expect(value("p[x] := y if some y, x in [10, 20]")).toEqual({ "10": 0, "20": 1 });
  });

  test("null is a value like any other", () => {
    expect(value("p := null")).toBeNull();
    expect(value("q := null\np := [q, q, q == null]")).toEqual([null, null, true]);
    expect(value("f(x) := x\np := [f(null), f(null)]")).toEqual([null, null]);
    expect(value('p := object.get({"a": null}, "a", 1)')).toBeNull();
    expect(value('p := object.get({"a": {"b": null}}, ["a", "b"], 1)')).toBeNull();
    expect(value('p := json.filter({"a": {null}}, ["a"])')).toEqual({ a: [null] });
    expect(value("p := json.unmarshal(`null`)")).toBeNull();
    expect(value("default p := null")).toBeNull();
    expect(value("p[x] := null if some x in [1]")).toEqual({ "1": null });
  });

  test("false and zero are values like any other", () => {
    expect(value("p := false")).toBe(false);
    expect(value("q := false\np := [q, q == false, 0, -0]")).toEqual([false, true, 0, 0]);
    expect(value("f(x) := x == 2\np := f(1)")).toBe(false);
  });

  test("a field named __proto__ is data like any other", () => {
    const found = value('p := object.union(input, {"a": 1})', JSON.parse('{"__proto__": {"x": 1}}'));
    expect(JSON.stringify(found)).toBe('{"__proto__":{"x":1},"a":1}');
    expect(value("p := input.constructor", {})).toBeUndefined();
  });

  test("a missing input is undefined, not an error", () => {
    expect(compileRego("package t\np := input.x").evaluate("data.t.p").defined).toBe(false);
  });

  test("iteration goes in the order of the language", () => {
    expect(value("p := [k | some k, _ in input]", { b: 1, a: 2, "\u{1f600}": 3, "\uffff": 4 })).toEqual([
      "a",
      "b",
      "\uffff",
      "\u{1f600}",
    ]);
  });
});

describe("negation", () => {
  test("a comparison with something undefined does not hold, so its negation does", () => {
    expect(value('p if not input.missing == "x"', {})).toBe(true);
    expect(value("p if not input.missing", {})).toBe(true);
  });

  test("operands of a negated call are looked up outside of the negation", () => {
    expect(value('p if not startswith(input.missing, "x")', {})).toBeUndefined();
    expect(value('p if not startswith(input.a, "x")', { a: "y" })).toBe(true);
  });

  test("with the import they are inside of it", () => {
    expect(value('import future.keywords.not\np if not startswith(input.missing, "x")', {})).toBe(true);
  });
});

describe("names", () => {
  test("a variable may be named like the function that made it", () => {
    expect(value("p if { count := count(input.xs); count == 2 }", { xs: [1, 2] })).toBe(true);
  });

  test("keywords are names after a dot and before one", () => {
    expect(value("default.in := 1\np := default.in + input.if", { if: 2 })).toBe(3);
  });

  test("a variable of a comprehension is that of the body around it where it has a value", () => {
    expect(value("p if { x := 1; [x] == [x | x == 1] }")).toBe(true);
    expect(value("p := [x | some x in [1, 2]] if { not 3 in [x | some x in [1, 2]] }")).toEqual([1, 2]);
  });
});

describe("functions of the caller", () => {
  const names: readonly RegoFunction[] = [{ name: "has_role", arity: 1, call: ([role]) => role === "admin" }];
  const source = "package t\nimport rego.v1\nallow if has_role(input.role)";

  test("are called with plain values", () => {
    const policy = compileRego(source, { functions: names });
    expect(policy.evaluate("data.t.allow", { input: { role: "admin" } }).value).toBe(true);
    expect(policy.evaluate("data.t.allow", { input: { role: "guest" } }).defined).toBe(false);
  });

  test("can be handed in anew for each evaluation", () => {
    const policy = compileRego(source, { functions: names });
    const functions: readonly RegoFunction[] = [{ name: "has_role", arity: 1, call: () => true }];
    expect(policy.evaluate("data.t.allow", { input: { role: "guest" }, functions }).value).toBe(true);
  });

  test("that throw leave the expression undefined", () => {
    const functions: readonly RegoFunction[] = [
      { name: "has_role", arity: 1, call: () => Reflect.get(JSON.parse("null"), "x") },
    ];
    expect(compileRego(source, { functions }).evaluate("data.t.allow", { input: { role: "admin" } }).defined).toBe(
      false,
    );
  });

  test("have an arity that is checked", () => {
    expect(failure(() => compileRego("package t\np := has_role(1, 2)", { functions: names })).message).toContain(
      "has_role: arity mismatch",
    );
  });

  test("may stand in for a built-in function", () => {
    const functions: readonly RegoFunction[] = [
      { name: "net.lookup_ip_addr", arity: 1, call: () => new Set(["10.0.0.1"]) },
    ];
    expect(
      compileRego('package t\np := net.lookup_ip_addr("a.example")', { functions }).evaluate("data.t.p").value,
    ).toEqual(["10.0.0.1"]);
  });
});

describe("the host is out of reach", () => {
  test("the network is off", () => {
    expect(value('p := http.send({"method": "get", "url": "http://127.0.0.1/"})')).toBeUndefined();
    expect(value('p := net.lookup_ip_addr("example.net")')).toBeUndefined();
  });

  test("the environment is empty", () => {
    expect(value("p := opa.runtime()")).toEqual({});
  });
});

describe("time", () => {
  const now = () => Date.UTC(2026, 10, 22, 9, 30);

  test("is that of the caller and stands still during an evaluation", () => {
    const policy = compileRego(
      "package t\np := [time.date(time.now_ns()), time.clock(time.now_ns()), time.weekday(time.now_ns())]",
    );
    expect(policy.evaluate("data.t.p", { now }).value).toEqual([[2026, 11, 22], [9, 30, 0], "Sunday"]);
  });

  test("knows zones", () => {
    const policy = compileRego('package t\np := time.format([time.now_ns(), "Europe/Malta", "RFC1123Z"])');
    expect(policy.evaluate("data.t.p", { now }).value).toBe("Sun, 22 Nov 2026 10:30:00 +0100");
  });
});

describe("several modules", () => {
  test("see each other's packages and the base documents", () => {
    const policy = compileModules(
      [
        { source: "package a\nimport rego.v1\nimport data.lib\nallow if lib.is_admin(input.user)", filename: "a.rego" },
        { source: "package lib\nimport rego.v1\nis_admin(user) if user in data.admins", filename: "lib.rego" },
      ],
      { dialect: "v1" },
    );
    expect(policy.evaluate("data.a.allow", { input: { user: "bob" }, data: { admins: ["bob"] } }).value).toBe(true);
    expect(policy.packageName).toBe("a");
  });

  test("data that is given stands over what rules make, and a number names a key of it", () => {
    const policy = compileRego("package a\n\nimport rego.v1\n\nb.c := 1\n\nb.d := 2\n\ne := data.keys[7]");
    const data = { a: { b: { c: 3 } }, keys: { 7: "seven" } };
    expect(policy.evaluate("data.a", { data }).value).toEqual({ b: { c: 3, d: 2 }, e: "seven" });
    expect(policy.evaluate("data.a.b.c", { data }).value).toBe(1);
  });

  test("queries with variables give all solutions", () => {
    const policy = compileRego("package a\nxs := [1, 2]");
    expect(policy.query("data.a.xs[i] = x")).toEqual([
      { i: 0, x: 1 },
      { i: 1, x: 2 },
    ]);
  });
});
