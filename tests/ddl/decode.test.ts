import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DdlError, decodeDdl, findAction, parseDdl } from "../../lib/ddl/mod.ts";

const good = {
  metadata: { name: "demo", timeout: 3 },
  actions: [
    {
      action: "go",
      input: { n: { type: "int", optional: true }, h: { type: "Hash" } },
      output: { value: { type: "" } },
      aggregate: [{ function: "summary", args: ["value", { true: "Yes" }] }, { function: "broken" }],
    },
  ],
};

describe("agent DDLs", () => {
  test("take what documents leave out as its default", () => {
    const ddl = parseDdl(JSON.stringify(good), "demo.json");
    const action = findAction(ddl, "go");
    expect(action.display).toBe("failed");
    expect(action.input.n?.type).toBe("integer");
    expect(action.input.h?.type).toBe("hash");
    expect(action.output.value?.display_as).toBe("value");
    expect(action.aggregate).toEqual([{ function: "summary", output: "value", options: { true: "Yes" } }]);
  });

  const broken: [string, unknown, string][] = [
    ["something else than an object", [], "demo.json: expected an object"],
    ["no metadata", { actions: [] }, "/metadata: expected an object"],
    ["a name with a path in it", { metadata: { name: "../x" }, actions: [] }, "/metadata/name"],
    ["no actions", { metadata: good.metadata }, "/actions: expected an array"],
    ["an action without a name", { ...good, actions: [{}] }, "/actions/0/action: expected a text"],
    [
      "a type that nobody knows",
      { ...good, actions: [{ action: "a", input: { x: { type: "date" } } }] },
      "/actions/0/input/x/type: unsupported type 'date'",
    ],
    ["an odd display", { ...good, actions: [{ action: "a", display: "maybe" }] }, "/actions/0/display"],
    ["another schema", { $schema: "https://example.net", ...good }, "/$schema"],
  ];
  for (const [what, document, place] of broken) {
    test(`with ${what} are refused, naming the place`, () => {
      const read = () => parseDdl(JSON.stringify(document), "demo.json");
      expect(read).toThrow(DdlError);
      expect(read).toThrow(place);
      expect(read).toThrow("demo.json");
    });
  }

  test("that are not JSON are refused, naming the file", () => {
    expect(() => parseDdl("{", "/x/demo.json")).toThrow(/Cannot read the DDL \/x\/demo\.json/);
  });

  test("of any shape give a DDL or an error that names the document", () => {
    const key = fc.constantFrom(
      "metadata",
      "actions",
      "action",
      "input",
      "output",
      "aggregate",
      "name",
      "type",
      "list",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 5 }, fc.jsonValue(), fc.array(tie("value")), fc.dictionary(key, tie("value"))),
    }));
    const check = (document: unknown) => {
      try {
        expect(decodeDdl(document, "demo.json").actions).toBeArray();
      } catch (error) {
        expect(error).toBeInstanceOf(DdlError);
        expect((error as Error).message).toContain("demo.json");
      }
    };
    fc.assert(fc.property(value, check));
    fc.assert(fc.property(value, (actions) => check({ metadata: good.metadata, actions })));
    fc.assert(fc.property(value, (action) => check({ metadata: good.metadata, actions: [action] })));
  });

  test("name their actions when one is not among them", () => {
    const ddl = parseDdl(JSON.stringify(good), "demo.json");
    expect(() => findAction(ddl, "gone")).toThrow("unknown action demo#gone, the agent has: go");
  });
});
