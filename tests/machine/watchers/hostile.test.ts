import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { watcherProperties } from "../../../lib/machine/properties.ts";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { TestMachine } from "../../support/machine.ts";

const kinds = Object.keys(watcherProperties);
const odd = fc.oneof(
  fc.json().map((text): unknown => JSON.parse(text)),
  fc.constantFrom<unknown>(
    null,
    -1,
    1e308,
    "1h",
    "-5m",
    "0",
    "* * * * *",
    "{{",
    '{{ lookup "x" }}',
    "../../x",
    "\0",
    [],
    {},
  ),
);

/** Properties of a kind, some of them missing, all of them odd. */
function oddProperties(kind: string): fc.Arbitrary<JsonObject> {
  const names = Object.keys(watcherProperties[kind as keyof typeof watcherProperties]);
  return fc.record(Object.fromEntries([...names, "other"].map((name) => [name, odd])), { requiredKeys: [] });
}

describe("any properties", () => {
  test.each(kinds)("make a %s watcher, or are refused with a reason", async (type) => {
    await fc.assert(
      fc.asyncProperty(oddProperties(type), fc.constantFrom(0, 1, 60_000, 1e15), async (properties, interval) => {
        using machine = new TestMachine({ definition: { type, interval, properties } });
        try {
          const watcher = await machine.load();
          expect(typeof watcher.snapshot().text).toBe("string");
          JSON.stringify(watcher.snapshot().fields);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(String(error)).not.toContain("undefined is not");
          expect(String(error)).not.toMatch(/TypeError/);
        }
      }),
      { numRuns: 200 },
    );
  });
});
