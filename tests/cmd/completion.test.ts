import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import { temporaryFolder } from "../support/folder.ts";
import { checkout, choria, run } from "./support.ts";

const folder = temporaryFolder();
const config = folder.file("client.conf");
const requests = readFileSync(`${checkout}/tests/fixtures/ddl/requests.json`, "utf8");
await Bun.write(config, `plugin.choria.services.registry.cache = ${folder.file("registry")}\n`);
await Bun.write(folder.file("registry/agent/requests.json"), requests);
await Bun.write(folder.file("registry/agent/broken.json"), "{");

afterAll(() => folder[Symbol.dispose]());

const env = { CHORIA_CONFIG: config };

/** What the last of some words may become, and the directive. */
async function complete(...words: string[]) {
  const { code, out, err } = await choria(["complete", "--", ...words], { env });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const lines = out.trimEnd().split("\n");
  return { values: lines.slice(0, -1).map((line) => line.split("\t")[0]), directive: lines.at(-1), out };
}

describe("words of the command line", () => {
  test("become commands, but none that nobody calls by hand", async () => {
    expect((await complete("fac")).out).toBe("facts\tReport the values of a fact\n:4\n");
    expect((await complete("comp")).values).toEqual(["completion"]);
    expect((await complete("plugin", "generate", "")).values).toContain("client");
  });

  test("become flags, and values of flags", async () => {
    expect((await complete("req", "--lim")).values).toEqual(["--limit", "--limit-seed"]);
    expect((await complete("req", "--dm", "f")).values).toEqual(["flatfile"]);
    expect((await complete("req", "-A", "rpc")).values).toEqual(["rpcutil"]);
    expect(await complete("req", "--nodes", "x")).toMatchObject({ values: [], directive: ":0" });
  });

  test("become agents, actions and inputs of DDLs", async () => {
    expect((await complete("req", "re")).values).toEqual(["requests"]);
    expect((await complete("rpc", "-F", "os=linux", "requests", "")).values).toEqual(["request", "download"]);
    expect(await complete("req", "requests", "download", "url=x", "t")).toMatchObject({
      values: ["target=", "target_mode="],
      directive: ":6",
    });
    expect((await complete("req", "requests", "request", "method=P")).values).toEqual([
      "method=PUT",
      "method=POST",
      "method=PATCH",
    ]);
    expect((await complete("plugin", "doc", "req")).values).toEqual(["requests"]);
  });

  test("become nothing where nothing is known", async () => {
    for (const words of [
      ["nosuch", ""],
      ["req", "nosuch", ""],
      ["req", "broken", ""],
      ["req", "rpcutil", "nosuch", ""],
    ]) {
      expect(await complete(...words)).toMatchObject({ values: [], directive: ":4" });
    }
    const { out, err } = await choria(["complete", "--", "req", "rpc"], { env: { CHORIA_CONFIG: "/nowhere" } });
    expect({ out, err }).toEqual({ out: ":4\n", err: "" });
  });
});

describe("the script for bash", () => {
  /** What bash offers for a line with the cursor at its end. */
  async function offers(line: string): Promise<string[]> {
    symlink();
    const script = `
      source <(choria completion bash)
      compopt() { :; }
      COMP_LINE=$1 COMP_POINT=\${#1}
      _choria choria
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const path = `${folder.path}:${process.env.PATH}`;
    const { out, err } = await run(["bash", "-c", script, "bash", line], { env: { ...env, PATH: path } });
    expect(err).toBe("");
    return out.trimEnd().split("\n");
  }

  let isLinked = false;
  function symlink(): void {
    if (!isLinked) symlinkSync(`${checkout}/choria`, folder.file("choria"));
    isLinked = true;
  }

  test("offers words", async () => {
    expect(await offers("choria inv")).toEqual(["inventory"]);
    expect(await offers("choria req requests ")).toEqual(["request", "download"]);
    expect(await offers("choria req requests request method=P")).toEqual(["PUT", "POST", "PATCH"]);
  });

  test("runs nothing of what is typed", async () => {
    const mark = folder.file("mark");
    await offers(`choria req $(touch ${mark}) \`touch ${mark}\` ; touch ${mark} `);
    expect(await Bun.file(mark).exists()).toBe(false);
  });
});

describe("choria completion", () => {
  test("writes a script for each shell", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, out } = await choria(["completion", shell]);
      expect({ code, names: out.includes(`${shell} completion of choria`) }).toEqual({ code: 0, names: true });
    }
    expect((await choria(["completion", "tcsh"])).err).toBe(
      "choria: error: enum value must be one of bash,zsh,fish, got 'tcsh'\n",
    );
  });
});
