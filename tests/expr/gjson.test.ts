import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { lookup } from "../../lib/expr/mod.ts";
import vectors from "../fixtures/server/filter_vectors.json";

// The example document of the GJSON syntax, which its users know.
const people = {
  name: { first: "Tom", last: "Anderson" },
  age: 37,
  children: ["Sara", "Alex", "Jack"],
  "fav.movie": "Deer Hunter",
  friends: [
    { first: "Dale", last: "Murphy", age: 44, nets: ["ig", "fb", "tw"] },
    { first: "Roger", last: "Craig", age: 68, nets: ["fb", "tw"] },
    { first: "Jane", last: "Murphy", age: 47, nets: ["ig", "tw"] },
  ],
  vals: [
    { a: 1, b: true },
    { a: 2, b: false },
    { a: 3, b: "t" },
    { a: 4, b: null },
  ],
};

describe("paths of the original's matcher", () => {
  for (const { path, exists, value } of vectors.get_cases) {
    test(path, () => {
      const found = lookup(vectors.facts, path);
      if (exists) expect(found as unknown).toEqual(value);
      else expect(found).toBeUndefined();
    });
  }
});

describe("GJSON paths", () => {
  const cases: [path: string, expected: unknown][] = [
    ["name.last", "Anderson"],
    ["name.first.x", undefined],
    ["age.0", undefined],
    ["children.1", "Alex"],
    ["children.3", undefined],
    ["children.x", undefined],
    ["child*.2", "Jack"],
    ["c?ildren.0", "Sara"],
    ["c?ldren.0", undefined],
    ["*.first", "Tom"],
    ["fav\\.movie", "Deer Hunter"],
    ["fav.movie", undefined],
    ["friends.#", 3],
    ["children|#", 3],
    ["friends.#.age", [44, 68, 47]],
    ["friends.#.missing", []],
    ["friends.1.last", "Craig"],
    ['friends.#(last=="Murphy").first', "Dale"],
    ['friends.#(last=="Murphy")#.first', ["Dale", "Jane"]],
    ['friends.#(last=="Murphy")#|0.first', "Dale"],
    ['friends.#(last=="Nobody").first', undefined],
    ['friends.#(last=="Nobody")#', []],
    ["friends.#(age>45)#.last", ["Craig", "Murphy"]],
    ["friends.#(age>=47)#.first", ["Roger", "Jane"]],
    ["friends.#(age<45).first", "Dale"],
    ["friends.#(age<=44)#.first", ["Dale"]],
    ['friends.#(first%"D*").last', "Murphy"],
    ['friends.#(first!%"D*").last', "Craig"],
    ['friends.#(last!="Murphy").first', "Roger"],
    ['friends.#(nets.#(=="fb"))#.first', ["Dale", "Roger"]],
    ["friends.#(first)#.age", [44, 68, 47]],
    ["friends.#(nope)#", []],
    ['children.#(!="Sara")#', ["Alex", "Jack"]],
    ['children.#(%"*a*")', "Sara"],
    ["vals.#(b==~true)#.a", [1, 3]],
    ["vals.#(b==~false)#.a", [2, 4]],
    ["vals.#(b==~null)#.a", [4]],
    ["vals.#(b==true)#.a", [1]],
    ["vals.#(b!=true)#.a", [2, 3]],
    ["name.@keys", ["first", "last"]],
    ["name|@values", ["Tom", "Anderson"]],
    ["children.@reverse", ["Jack", "Alex", "Sara"]],
    ["children|@reverse|0", "Jack"],
    ["children.@reverse.0", "Jack"],
    ["friends.#.nets.@reverse|0", ["tw", "fb", "ig"]],
    ["friends.#.nets|@flatten", ["ig", "fb", "tw", "fb", "tw", "ig", "tw"]],
    ['children.@flatten:{"deep":true}|#', 3],
    ["[name,@this.name]|@join", { first: "Tom", last: "Anderson" }],
    ["{a:children,b:children}|@group|1", { a: "Alex", b: "Alex" }],
    ["@dig:first", ["Tom", "Dale", "Roger", "Jane"]],
    ["children|@tostr", '["Sara","Alex","Jack"]'],
    ["children.@tostr.@fromstr.0", "Sara"],
    ["{name.first,age}", { first: "Tom", age: 37 }],
    ['{"who":name.first,"nobody":x.y}', { who: "Tom" }],
    ["[name.first,x,age]", ["Tom", 37]],
    ["friends.#.{first,age}|1", { first: "Roger", age: 68 }],
    ['{name.first,"kind":!"person"}', { first: "Tom", kind: "person" }],
    ["!true", true],
    ["@this|age", 37],
    ["@nope", undefined],
    ["", undefined],
    [".", undefined],
    ["name.", undefined],
    ["friends.#(", undefined],
    ["{", undefined],
    ["[", undefined],
    ["!", undefined],
    ["\\", undefined],
    ["toString", undefined],
    ["__proto__", undefined],
    ["children.length", undefined],
  ];
  for (const [path, expected] of cases) {
    test(JSON.stringify(path), () => {
      expect(lookup(people, path)).toEqual(expected);
    });
  }

  test("find a key that looks like a modifier", () => {
    expect(lookup({ "@type": "x" }, "@type")).toBe("x");
  });

  test("keep integers that a double cannot hold", () => {
    expect(lookup({ big: 9007199254740993n }, "big")).toBe(9007199254740993n);
  });
});

describe("paths from the network", () => {
  test("never do anything but find something, nothing, or too much", () => {
    const piece = fc.constantFrom(...'#@{}[]()|.\\"*?!:,=~<>%x1', "name", "friends", "@keys", "@flatten", "#(a>1)#");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          lookup(people, pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test("that double what they hold again and again are stopped", () => {
    const doubling = Array.from({ length: 40 }, () => "[@this,@this]").join("|");
    expect(() => lookup(people, `${doubling}|@tostr`)).toThrow(RangeError);
    // What is found is shared with itself many times over, and would take for ever to be written down.
    expect(() => lookup(people, doubling)).toThrow(RangeError);
    expect(() => lookup("x".repeat(100_000), Array.from({ length: 8 }, () => "[@this,@this]").join("|"))).toThrow(
      RangeError,
    );
    expect(() => lookup(people, `${doubling}|@flatten:{"deep":true}`)).toThrow(RangeError);
  });

  test("that are too long are refused", () => {
    expect(() => lookup(people, "a.".repeat(3_000))).toThrow("longer than 4096 characters");
  });

  test("with many wildcards are matched in good time", () => {
    const key = "a".repeat(2_000);
    const start = performance.now();
    expect(lookup({ [key]: 1 }, `${"*a".repeat(500)}*b`)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
