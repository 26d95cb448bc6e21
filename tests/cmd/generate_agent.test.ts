import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { agentFrom, callAgent } from "../external/support.ts";
import { temporaryFolder } from "../support/folder.ts";
import { choria, run } from "./support.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const generate = (...args: string[]) => choria(["plugin", "generate", "agent", ...args]);

describe("choria plugin generate agent", () => {
  const target = folder.file("agents/dice");
  const flags = ["--description", 'Throws "dice"', "--timeout", "7", "--service"];

  test("writes an agent, its DDL, a test and the kit", async () => {
    const { code, out, err } = await generate("dice", target, ...flags);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const files = ["dice.ts", "dice.json", "dice.test.ts", "kit.ts"];
    expect(out).toBe(files.map((file) => `Writing ${join(target, file)}\n`).join(""));
    expect(readdirSync(target).sort()).toEqual([...files].sort());
    expect(readFileSync(join(target, "kit.ts"), "utf8")).toBe(
      readFileSync(join(import.meta.dir, "../../agents/kit.ts"), "utf8"),
    );
  });

  test("of which the test passes as written", async () => {
    const { code, err } = await run(["sh", "-c", `cd ${target} && exec ${process.execPath} test`]);
    expect(err).toContain(" 3 pass\n 0 fail");
    expect(code).toBe(0);
  });

  test("of which the types hold, in the form of our code", async () => {
    const sources = ["dice.ts", "dice.test.ts"].map((file) => join(target, file));
    const strict = ["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"];
    const modules = ["--module", "preserve", "--target", "esnext", "--allowImportingTsExtensions", "--skipLibCheck"];
    const roots = ["--typeRoots", join(import.meta.dir, "../../node_modules/@types"), "--types", "bun"];
    const types = await run(["node_modules/.bin/tsc", "--ignoreConfig", ...strict, ...modules, ...roots, ...sources]);
    expect({ out: types.out, code: types.code }).toEqual({ out: "", code: 0 });
    for (const source of sources) {
      const input = readFileSync(source, "utf8");
      const form = await run(["node_modules/.bin/biome", "format", "--stdin-file-path=agents/dice.ts"], { input });
      expect(form.out).toBe(input);
    }
  });

  test("of which the DDL is what the agent prints", async () => {
    const { out } = await run([join(target, "dice.ts"), "--ddl"]);
    expect(out).toBe(readFileSync(join(target, "dice.json"), "utf8"));
    expect(JSON.parse(out).metadata).toMatchObject({
      name: "dice",
      description: 'Throws "dice"',
      timeout: 7,
      service: true,
      provider: "external",
    });
  });

  test("which a server calls", async () => {
    const reply = await callAgent(agentFrom(join(target, "dice.json")), "greet", { who: "Ann" });
    expect(reply).toMatchObject({ statuscode: 0, data: { greeting: "Hello Ann, says rip" } });
  });

  test("replaces nothing unless it is told to", async () => {
    writeFileSync(join(target, "dice.ts"), "mine");
    const { code, err } = await generate("dice", target);
    expect(code).toBe(1);
    expect(err).toBe(
      `choria: error: Cannot write ${join(target, "dice.ts")}: it is there already; replace it with --force\n`,
    );
    expect(readFileSync(join(target, "dice.ts"), "utf8")).toBe("mine");
    expect((await generate("dice", target, "--force")).code).toBe(0);
    expect(readFileSync(join(target, "dice.ts"), "utf8")).toContain("defineAgent");
  });

  test.each([
    [["Dice"], 'Cannot name an agent "Dice"'],
    [["../dice"], 'Cannot name an agent "../dice"'],
    [["rpcutil"], "the name is taken"],
    [["kit"], "the name is taken"],
    [["dice", "--timeout", "1"], 'Cannot use the timeout "1": expected whole seconds, at least 2'],
  ])("refuses %p", async (args, reason) => {
    const { code, err } = await generate(...args, ...(args.length === 1 ? [folder.file("none")] : []));
    expect(code).toBe(1);
    expect(err).toContain(reason);
    expect(existsSync(folder.file("none"))).toBe(false);
  });
});
