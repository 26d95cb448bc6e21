import { describe, expect, test } from "bun:test";
import { builtinDdls, decodeDdl, encodeDdl } from "../../lib/ddl/mod.ts";
import type { JsonObject } from "../../lib/std/mod.ts";
import facts from "../fixtures/ddl/builtin_facts.json" with { type: "json" };

/** A DDL's document without the words that describe it. */
function withoutWords(document: { metadata: JsonObject; actions: JsonObject[] }): unknown {
  const { name, timeout, provider, service, license, version } = document.metadata;
  const items = (value: unknown) =>
    Object.fromEntries(
      Object.entries(value as Record<string, JsonObject>).map(([key, item]) => {
        const { description: _d, prompt: _p, ...rest } = item;
        return [key, rest];
      }),
    );
  return {
    metadata: { name, timeout, provider, service, license, version },
    actions: document.actions.map(({ description: _d, input, output, ...rest }) => ({
      ...rest,
      input: items(input),
      output: items(output),
    })),
  };
}

describe("built-in DDLs", () => {
  for (const ddl of builtinDdls) {
    test(`${ddl.metadata.name} has the inputs, outputs and limits that peers know`, () => {
      const expected = (facts as Record<string, unknown>)[ddl.metadata.name];
      expect(expected).toBeDefined();
      const { metadata, actions } = JSON.parse(encodeDdl(ddl));
      expect(withoutWords({ metadata, actions })).toEqual(JSON.parse(JSON.stringify(expected)));
    });

    test(`${ddl.metadata.name} survives being written and read`, () => {
      expect(decodeDdl(JSON.parse(encodeDdl(ddl)), "itself")).toEqual(ddl);
    });

    test(`${ddl.metadata.name} describes every action, input and output`, () => {
      for (const action of ddl.actions) {
        const items = [action, ...Object.values(action.input), ...Object.values(action.output)];
        for (const item of items) expect(item.description).not.toBe("");
      }
    });
  }
});
