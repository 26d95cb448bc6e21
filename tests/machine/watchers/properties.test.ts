import { describe, expect, test } from "bun:test";
import { Properties, readProperties } from "../../../lib/machine/watchers/_properties.ts";

const of = (value: unknown) => new Properties({ p: value });

describe("properties", () => {
  test("names are found in any case, and the plain one wins", () => {
    expect(new Properties({ Gather_Initial_State: true }).flag("gather_initial_state")).toBe(true);
    expect(new Properties({ Path: "a", path: "b" }).text("path")).toBe("b");
    expect(new Properties({ path: "b", Path: "a" }).text("path")).toBe("b");
  });

  test("yes and no come as texts and numbers", () => {
    for (const yes of [true, "true", "t", "1", 1, 7]) expect(of(yes).flag("p")).toBe(true);
    for (const no of [false, "false", "F", "0", 0, "", null, undefined]) expect(of(no).flag("p")).toBe(false);
    for (const bad of ["yes", "tRUE", [], {}]) expect(() => of(bad).flag("p")).toThrow("p has to be true or false");
  });

  test("texts come as numbers and flags", () => {
    expect([of(5).text("p"), of(true).text("p"), of(false).text("p"), of(null).text("p")]).toEqual(["5", "1", "0", ""]);
    expect(() => of(["a"]).text("p")).toThrow('p has to be a text, got ["a"]');
  });

  test("a single value is a list, and numbers in lists are texts", () => {
    expect(of("a").list("p")).toEqual(["a"]);
    expect(of(["a", 5]).list("p")).toEqual(["a", "5"]);
    expect(new Properties({}).list("p")).toEqual([]);
  });

  test("numbers come as texts", () => {
    expect([of("80").number("p"), of(80.9).number("p"), of(true).number("p"), of("").number("p")]).toEqual([
      80, 80, 1, 0,
    ]);
    for (const bad of ["eighty", "8e1", [], {}]) expect(() => of(bad).number("p")).toThrow("p has to be a number");
  });

  test("durations are texts in Go's units, or nanoseconds", () => {
    expect(of("1m30s").duration("p")).toBe(90_000);
    expect(of(1_500_000).duration("p")).toBe(1.5);
    expect(of(undefined).duration("p")).toBe(0);
    for (const bad of ["1d", "5", "abc", "", true, []]) expect(() => of(bad).duration("p")).toThrow();
  });

  test("tables hold texts", () => {
    expect(of({ A: 1, b: "x" }).table("p")).toEqual({ A: "1", b: "x" });
    expect(of(null).table("p")).toEqual({});
    expect(() => of({ a: {} }).table("p")).toThrow("p.a has to be a text");
    expect(() => of("x").table("p")).toThrow("p has to be a table of values");
  });

  test("what is wrong is told as peers tell it", () => {
    expect(() => readProperties({}, (properties) => properties.required("command"))).toThrow(
      "could not set properties: command is required",
    );
  });
});
