import { describe, expect, test } from "bun:test";
import { FilterError, matchVersion } from "../../lib/filter/mod.ts";
import recorded from "../fixtures/expr/versions.json";

describe("versions meet the constraints that they meet for the original", () => {
  for (const { version, constraint, match, error } of recorded) {
    test(`${JSON.stringify(version)} and ${JSON.stringify(constraint)}`, () => {
      if (error !== undefined) expect(() => matchVersion(version, constraint)).toThrow(new FilterError(error));
      else expect(matchVersion(version, constraint)).toBe(match ?? false);
    });
  }
});

test("Long texts are no versions and no constraints", () => {
  expect(() => matchVersion("1".repeat(300), ">0")).toThrow("invalid semantic version");
  expect(() => matchVersion("99999999999999999999", ">0")).toThrow("invalid semantic version");
  expect(() => matchVersion("1.0.0", ">0 ".repeat(1_000))).toThrow("constraint string is too long");
});
