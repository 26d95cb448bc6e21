import { describe, expect, test } from "bun:test";
import { builtinDataDdls } from "../../lib/ddl/mod.ts";
import facts from "../fixtures/ddl/data_facts.json" with { type: "json" };

describe("data providers", () => {
  test("are asked and tell what peers know", () => {
    const found = builtinDataDdls().map(({ name, query, output }) => ({
      name,
      query: query === undefined ? null : { validation: query.validation, maxlength: query.maxlength },
      output: Object.fromEntries(Object.entries(output).map(([key, { type }]) => [key, type ?? ""])),
    }));
    expect<unknown>(found).toEqual(facts);
  });
});
