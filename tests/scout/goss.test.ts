import { describe, expect, test } from "bun:test";
import type { GossOptions, GossOutcome } from "../../lib/machine/mod.ts";
import { type GossSettings, gossValidate } from "../../lib/scout/mod.ts";
import type { JsonObject } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const outcome: GossOutcome = {
  tests: 1,
  failures: 0,
  skipped: 0,
  success: 1,
  runtime: 0.1,
  summary: "Count: 1, Failed: 0, Duration: 0.100s",
  results: [],
};

/** Call the action; what reached goss is given back with the reply. */
async function validate(data: JsonObject, settings: Partial<GossSettings> = {}) {
  const asked: GossOptions[] = [];
  const reply = await gossValidate(
    data,
    {
      overridesFile: "",
      deniedLocal: ["local"],
      deniedRemote: ["command"],
      validate: async (options) => {
        asked.push(options);
        return outcome;
      },
      ...settings,
    },
    new AbortController().signal,
  );
  return { reply, asked: asked[0] };
}

describe("scout#goss_validate", () => {
  test("checks against a file of the node, with what the node denies", async () => {
    const { reply, asked } = await validate({ file: "/etc/goss.yaml" });
    expect(reply).toEqual({ ...outcome });
    expect(asked).toMatchObject({ rules: { file: "/etc/goss.yaml" }, denied: ["local"] });
    expect(asked?.vars).toBeUndefined();
  });

  test("denies more where rules or variables come from the caller", async () => {
    const { asked } = await validate({ yaml_rules: "file: {}" });
    expect(asked).toMatchObject({ rules: { yaml: "file: {}" }, denied: ["command"] });
    expect((await validate({ file: "/etc/goss.yaml", yaml_vars: "a: 1" })).asked).toMatchObject({
      denied: ["command"],
      vars: "a: 1",
    });
  });

  test("takes the node's overrides for variables where a request has none", async () => {
    using folder = temporaryFolder();
    const overridesFile = folder.file("overrides.json");
    await Bun.write(overridesFile, '{"a":1}');
    expect((await validate({ file: "x" }, { overridesFile })).asked?.vars).toBe('{"a":1}');
    expect((await validate({ file: "x", yaml_vars: "b: 2" }, { overridesFile })).asked?.vars).toBe("b: 2");
    expect((await validate({ file: "x" }, { overridesFile: "/nonexistent" })).asked?.vars).toBeUndefined();
  });

  test("reads no variables from what never ends, or is too large", async () => {
    using folder = temporaryFolder();
    await Bun.write(folder.file("large"), "x".repeat(1_024 * 1_024 + 1));
    for (const vars of ["/dev/zero", folder.file("large")]) {
      const refused = validate({ file: "/etc/goss.yaml", vars });
      await expect(refused).rejects.toThrow(`Could not validate: ${vars} is not a file of at most 1048576 bytes`);
    }
    const overridesFile = "/dev/zero";
    expect((await validate({ file: "/etc/goss.yaml" }, { overridesFile })).asked?.vars).toBeUndefined();
  });

  test("says which inputs do not go together", async () => {
    const refusals: [JsonObject, string][] = [
      [{}, "One of rules or file is required"],
      [{ file: "a", yaml_rules: "b" }, "Only one of rules or file can be supplied"],
      [{ file: "a", vars: "b", yaml_vars: "c" }, "Only one of yaml_vars or vars can be supplied"],
      [{ file: 1 }, "Validation failed: input 'file'"],
      [{ yaml_rules: "x".repeat(6_000) }, "Validation failed: input 'yaml_rules'"],
      [{ file: "a", vars: "/nonexistent" }, "Could not validate: "],
    ];
    for (const [data, text] of refusals) await expect(validate(data)).rejects.toThrow(text);
  });

  test("tells why goss could not run", async () => {
    const broken = { validate: () => Promise.reject(new Error("it is broken")) };
    await expect(validate({ file: "a" }, broken)).rejects.toThrow("Could not validate: it is broken");
  });
});
