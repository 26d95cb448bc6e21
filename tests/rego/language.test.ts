import { describe, expect, test } from "bun:test";
import { compileRego, type RegoDialect } from "../../lib/rego/mod.ts";

/** Rules, the value that `p` must have, and the input. */
type Row = readonly [rules: string, want?: unknown, input?: unknown];

function check(dialect: RegoDialect, [rules, want, input = {}]: Row): void {
  const found = compileRego(`package t\n${rules}`, { dialect }).evaluate("data.t.p", { input }).value;
  expect(found).toEqual(want);
}

function named(rows: readonly Row[]): (readonly [string, Row])[] {
  return rows.map((row) => [row[0], row] as const);
}

const LANGUAGE: readonly Row[] = [
  ["p := {x | x := input.xs[_]} - {1}", [2], { xs: [1, 2] }],
  ["p := 1 +\n 2", 3],
  ["p := [1, # one\n 2,\n]", [1, 2]],
  ["p := (1 + 2) * 3 - 4 / 2", 7],
  ["p := [5-1, 5 -1, -1]", [4, 4, -1]],
  ['p := {"a": {"b": 1}}.a.b', 1],
  ['p := {"if": 1}.if', 1],
  ["p := [x | x := [1, 2][_]][1]", 2],
  ["p := [{1, 2}[2], [7, 8][1]]", [2, 8]],
  ["p := [1, 2][5]"],
  ['p if "a" in {"x": "a"}', true],
  ['p if "x" in {"x": "a"}'],
  ["p if not 3 in [1, 2]", true],
  ["p if not input.a == input.b", true, { a: 1, b: 2 }],
  ["p if not input.a == input.b", undefined, { a: 1, b: 1 }],
  ["p if { x := input.a; not data.t.q == input.b }\nq := 1", true, { a: 1, b: 2 }],
  ["f(x) if not x.a == x.b\np := [f({`a`: 1, `b`: 2}), 1]", [true, 1]],
  ["p if 0, 2 in [2]", true],
  ['p contains {"a": x} if some x in [1, 2]', [{ a: 1 }, { a: 2 }]],
  ["p contains 1 if false", []],
  ["p := x if x := 5", 5],
  ["p := 3 if input.a == 1 with input.a as 1", 3],
  ["p := [a, b] if { a := input.x with input.x as 1; b := input.x }", [1, 9], { x: 9 }],
  ["f(x) := 1\np := y if y := count([1, 2]) with count as f", 1],
  ["f(_) := 7\ng(x) := count(x)\nq := x if x := max([1, 2]) with max as g\np := x if x := q with count as f", 2],
  ["p if {x: i | x := [`a`, `b`][i]}", true],
  ["q := 1 if false else := 2 if {x: 1 | x := 1}\np := q", 2],
  ['p := y if { some i; y := ["a", "b"][i]; i == 1 }', "b"],
  ["p := count({k | input[k]})", 2, { a: 1, b: false, c: 2 }],
  ["p := [y | some x in [1, 2, 3]; x > 1; y := x * 2]", [4, 6]],
  ['p := {k: v | some k, v in {"a": 1}}', { a: 1 }],
  ["p if every x in [] { false }", true],
  ["p if every i, x in [0, 1] { i == x }", true],
  ['q[k] contains v if some k, v in {"a": 1, "b": 2}\np := q', { a: [1], b: [2] }],
  ['p[x].b := y if some x, y in {"k": 1}', { k: { b: 1 } }],
  ["p.a.b := 1\np.a.c := 2", { a: { b: 1, c: 2 } }],
  ["default p.a := 0\np.a := 1 if input.no\np[x] := 2 if some x in [`b`]", { a: 0, b: 2 }],
  ["default p.a := 0\np.a := 1\np[x] := 2 if some x in [`b`]", { a: 1, b: 2 }],
  ['a.b["c-d"].e := 1\np := a.b["c-d"].e', 1],
  [
    'f(x) := "low" if x < 0\nelse := "zero" if x == 0\nelse := "high"\np := [f(-1), f(0), f(1)]',
    ["low", "zero", "high"],
  ],
  ["f(x) := x + 1\np := f(f(f(1)))", 4],
  ['f([x, _], {"k": y}) := x + y\np := f([1, 2], {"k": 3})', 4],
  ["default f(_) := 7\nf(x) := x if x > 5\np := [f(1), f(6)]", [7, 6]],
  ["default p := false\np if input.x > 3", false, { x: 1 }],
  ["p if input.a"],
  ["p if input.a", true, { a: null }],
  ["p if input.a", true, { a: 0 }],
  ["p if input.a", undefined, { a: false }],
  ["p := [i | some i; input.a[i] == 2]", [1], { a: [1, 2] }],
  ["p := [v | v := input.a.b[_].c]", [1, 2], { a: { b: [{ c: 1 }, { d: 0 }, { c: 2 }] } }],
  ["p := [x, y] if { [x, y] := input.pair }", [1, 2], { pair: [1, 2] }],
  ['p := x if { {"a": [_, x]} := {"a": [1, 5]} }', 5],
  ["p if { [x, 1] = [2, y]; x == 2; y == 1 }", true],
  ['p := k if { some k; {"a": 1, "b": 2}[k] == 2 }', "b"],
  [
    'q := {"a": {"b": [1, 2]}}\np contains [x, y, z] if q[x][y][_] = z',
    [
      ["a", "b", 1],
      ["a", "b", 2],
    ],
  ],
  ["p := input.default.contains", 3, { default: { contains: 3 } }],
  ["import input.user as u\np := u.name", "bob", { user: { name: "bob" } }],
  ['p := $"a {input.x} {1 + 1} {input.no}"', "a q 2 <undefined>", { x: "q" }],
  ["p := `raw\\n`", "raw\\n"],
  ['p := "a\\tb\\u0041"', "a\tbA"],
  ["p if { print(input.no); true }", true],
  ["p if 1 < 2 == true", true],
  ['p := [null, false, 1, "a", [], {}, set()] == sort([set(), {}, [], "a", 1, false, null])', true],
];

const OLD: readonly Row[] = [
  ["p = true { input.x } else = false { true }", false],
  ["foo(x) = y { y := x }\np := foo(3)", 3],
  ["foo(x) { x == 1 }\np { foo(1) }", true],
  ['p["x"] = 1 { true }\np["y"] = 2 { true }', { x: 1, y: 2 }],
  ["p[x] { x := [1, 2][_] }", [1, 2]],
  ["p[1]\np[2]", [1, 2]],
  ["p[x] = y { y := [5][x] }", { "0": 5 }],
  ["p { input.x == 1 } { input.x == 2 }", true, { x: 2 }],
  ["in := 1\ncontains := 2\np := in + contains", 3],
  ["p := any([true, false])", true],
  ["p := re_match(`^a`, `abc`)", true],
];

const BUILTINS: readonly Row[] = [
  ['p := sprintf("%v %v %s %d", [{"a": 1}, {1, 2}, "s", 4])', '{"a": 1} {1, 2} s 4'],
  [
    'p := sprintf("%5.2f|%-5s|%05d|%x|%q|%t", [3.14159, "ab", 42, 255, "q", true])',
    ' 3.14|ab   |00042|ff|"q"|%!t(string=true)',
  ],
  ['p := sprintf("%d %s", [1])', "1 %!s(MISSING)"],
  ['p := json.marshal({"b": [1, 2.5, null], "a": "x"})', '{"a":"x","b":[1,2.5,null]}'],
  ['p := json.patch({"a": 1}, [{"op": "replace", "path": "/a", "value": 2}])', { a: 2 }],
  ['p := json.filter({"a": {"b": 1, "c": 2}}, ["a/b"])', { a: { b: 1 } }],
  ['p := json.remove({"a": {"b": 1, "c": 2}}, ["a/b"])', { a: { c: 2 } }],
  ['p := json.match_schema({"a": 1}, {"properties": {"a": {"type": "string"}}})[0]', false],
  ['p := yaml.marshal([{"foo": [1, 2]}])', "- foo:\n  - 1\n  - 2\n"],
  ['p := yaml.unmarshal("a: [1, x]")', { a: [1, "x"] }],
  ["p := 10 / 4", 2.5],
  ["p := [7 % -3, -7 % 3]", [1, -1]],
  ["p := [round(2.5), round(-2.5), ceil(1.1), floor(-1.1), abs(-1.5)]", [3, -3, 2, -2, 1.5]],
  ["p := [bits.and(6, 3), bits.or(6, 3), bits.xor(6, 3), bits.negate(0), bits.lsh(1, 70)]", [2, 7, 5, -1, 1n << 70n]],
  ["p := numbers.range(3, 1)", [3, 2, 1]],
  ["p := numbers.range_step(0, 10, 3)", [0, 3, 6, 9]],
  ['p := [units.parse("10Ki"), units.parse("100m"), units.parse_bytes("10MiB")]', [10240, 0.1, 10485760]],
  [
    "p := [({1, 2} | {3}), {1, 2} & {2}, union({{1}, {2}}), intersection({{1, 2}, {2}})]",
    [[1, 2, 3], [2], [1, 2], [2]],
  ],
  ["p := [max([1, 3, 2]), min({5, 4}), sum([1, 2]), product([2, 3]), sort({2, 1})]", [3, 4, 3, 6, [1, 2]]],
  ["p := min([])"],
  [
    "p := [array.concat([1], [2]), array.slice([1, 2, 3], 1, 5), array.reverse([1, 2]), array.flatten([1, [2]])]",
    [
      [1, 2],
      [2, 3],
      [2, 1],
      [1, 2],
    ],
  ],
  ['p := object.remove({"a": 1, "b": 2}, ["a"])', { b: 2 }],
  ['p := object.union_n([{"a": 1}, {"b": 2}, {"a": 3}])', { a: 3, b: 2 }],
  ['p := object.subset({"a": 1, "b": 2}, {"a": 1})', true],
  ['p := [object.keys({"a": 1}), object.get({"a": [5]}, ["a", 0], 1), object.get({}, "x", 1)]', [["a"], 5, 1]],
  ['p := concat(",", sort({"b", "a"}))', "a,b"],
  ['p := [substring("hello", 1, 3), trim_space("  a b "), indexof("abc", "c"), count("héllo")]', ["ell", "a b", 2, 5]],
  [
    'p := [upper("a"), lower("A"), strings.reverse("abc"), strings.count("aaa", "a"), format_int(255, 16)]',
    ["A", "a", "cba", 3, "ff"],
  ],
  ['p := strings.replace_n({"a": "b", "b": "c"}, "ab")', "bc"],
  ['p := strings.any_prefix_match("abc", ["ab"])', true],
  [
    'p := strings.render_template("{{.a}}{{range $i, $x := .xs}}{{if $i}},{{end}}{{$x}}{{end}}", {"a": "n=", "xs": [1, 2]})',
    "n=1,2",
  ],
  ['p := regex.replace("foo bar", "(\\\\w+) (\\\\w+)", "$2 $1")', "bar foo"],
  [
    'p := [regex.find_n("a.", "paranormal", 2), regex.split("[,;]", "a,b;c")]',
    [
      ["ar", "an"],
      ["a", "b", "c"],
    ],
  ],
  ['p := regex.template_match("urn:foo:{.*}", "urn:foo:bar", "{", "}")', true],
  ['p := regex.match("(", "x")'],
  ['p := [glob.match("*.a.com", [], x) | x := ["b.a.com", "b.c.a.com"][_]]', [true, false]],
  ['p := glob.match("*.a.com", null, "b.c.a.com")', true],
  ['p := [semver.compare("1.0.0-alpha", "1.0.0"), semver.is_valid("1.2")]', [-1, false]],
  ['p := net.cidr_contains("10.0.0.0/8", input.ip)', true, { ip: "10.2.3.4" }],
  ['p := net.cidr_contains("fe80::/10", "fe80::1")', true],
  [
    'p := [net.cidr_expand("10.0.0.0/31"), net.cidr_merge(["10.0.0.0/25", "10.0.0.128/25"])]',
    [["10.0.0.0", "10.0.0.1"], ["10.0.0.0/24"]],
  ],
  [
    'p := [base64.encode("hi"), base64.decode("aGk="), hex.encode("hi"), urlquery.encode("a b&c")]',
    ["aGk=", "hi", "6869", "a+b%26c"],
  ],
  ['p := crypto.sha256("a")', "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"],
  [
    'p := io.jwt.decode_verify(io.jwt.encode_sign({"alg": "HS256"}, {"a": 1}, {"kty": "oct", "k": "c2VjcmV0"}), {"secret": "secret"})[2]',
    { a: 1 },
  ],
  ['p := graph.reachable({"a": ["b"], "b": []}, {"a"})', ["a", "b"]],
  ["p := [path | walk(input, [path, 3])]", [["a", "b"]], { a: { b: 3 } }],
  ['p := time.parse_rfc3339_ns("2026-11-22T04:25:40.497Z")', 1795321540497000000n],
  ['p := time.parse_ns("02 Jan 06 15:04 -0700", "22 Nov 26 05:25 +0100")', 1795321500000000000n],
  ["p := time.diff(1795321540497000000, 1700000000000000000)", [3, 0, 7, 6, 12, 20]],
  ["p := time.add_date(0, 1, 1, 1)", 34300800000000000n],
  [
    'p := time.format([1500000000123456789, "America/New_York", "Mon Jan 02 15:04:05.000 MST 2006"])',
    "Thu Jul 13 22:40:00.123 EDT 2017",
  ],
  ['p := time.parse_duration_ns("1h30m")', 5400000000000],
  ['p := uuid.parse("00000000-0000-4000-8000-000000000000").version', 4],
  ['p := strings.render_template("{{.a}} {{.b}}{{if .c}}!{{end}}", {"a": 1})', "1 <undefined>"],
  ['p := strings.render_template("{{.a.b}}", {})'],
  ['p := [uri.parse(""), uri.is_valid(""), uri.is_valid("http://[x")]', [{}, false, false]],
  ['p := net.lookup_ip_addr("localhost")', ["127.0.0.1"]],
  ['p := crypto.parse_private_keys("")', null],
  ['p := regex.globs_match("a]", "a.")'],
  ['p := [type_name(set()), is_null(null), is_string(1), to_number("1.5")]', ["set", true, false, 1.5]],
  ["p if { x := rand.intn(`a`, 10); x == rand.intn(`a`, 10); x < 10 }", true],
];

describe("the language", () => {
  test.each(named(LANGUAGE))("%s", (_, row) => check("v1", row));
});

describe("the language before v1", () => {
  test.each(named(OLD))("%s", (_, row) => check("v0", row));
});

describe("built-in functions", () => {
  test.each(named(BUILTINS))("%s", (_, row) => check("v1", row));
});
