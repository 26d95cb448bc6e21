import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type GossOptions, validateWithGoss } from "../../lib/machine/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const path = process.env.PATH;
const summary =
  '{"results":[{"result":0},{"result":1},{"result":2}],"summary":{"failed-count":1,"skipped-count":1,"test-count":3,"total-duration":2500000}}';

/** Goss as far as it matters here: what it is given it keeps, and what it renders it was told to. */
const script = `#!/bin/sh
echo "$@" >> "$HOME/calls"
rules="$2"; shift 2
if [ "$1" = --vars ]; then cp "$2" "$HOME/vars"; shift 2; fi
if [ "$1" = render ]; then cat "$HOME/rendered"; exit 0; fi
cp "$rules" "$HOME/rules"; stat -c %a "$rules" > "$HOME/mode"
echo '${summary}'; exit 1
`;

beforeAll(() => {
  mkdirSync(folder.file("bin"));
  writeFileSync(folder.file("bin/goss"), script);
  chmodSync(folder.file("bin/goss"), 0o755);
  process.env.PATH = `${folder.file("bin")}:${path}`;
});

afterAll(() => {
  process.env.PATH = path;
  folder[Symbol.dispose]();
});

async function validate(options: Partial<GossOptions>) {
  const home = process.env.HOME;
  process.env.HOME = folder.path;
  try {
    return await validateWithGoss({ rules: { yaml: "file: {}" }, denied: [], timeout: 10_000, ...options });
  } finally {
    process.env.HOME = home;
  }
}

const kept = (name: string) => readFileSync(folder.file(name), "utf8");

describe("goss", () => {
  test("tells of its tests with the names of the scout agent", async () => {
    expect(await validate({})).toEqual({
      tests: 3,
      failures: 1,
      skipped: 1,
      success: 1,
      runtime: 0.0025,
      summary: "Count: 3, Failed: 1, Duration: 0.003s",
      results: [{ result: 0 }, { result: 1 }, { result: 2 }],
    });
  });

  test("is given rules and variables in files of its own, which are gone afterwards", async () => {
    await validate({ rules: { yaml: "port: {}" }, vars: '{"a":1}' });
    expect([kept("rules"), kept("vars"), kept("mode")]).toEqual(["port: {}", '{"a":1}', "600\n"]);
    const [, rules = "", , vars = ""] = kept("calls").trim().split("\n").at(-1)?.split(" ") ?? [];
    expect([dirname(rules), existsSync(dirname(rules))]).toEqual([dirname(vars), false]);
  });

  test("is given a file as it is where nothing is denied", async () => {
    writeFileSync(folder.file("own.yaml"), "command: {}");
    await validate({ rules: { file: folder.file("own.yaml") } });
    expect(kept("calls").trim().split("\n").at(-1)).toBe(`-g ${folder.file("own.yaml")} validate --format json`);
  });

  test("skips what is denied, in the rules as they are once everything is resolved", async () => {
    writeFileSync(
      folder.file("rendered"),
      'file:\n  /etc/x:\n    contents: ["{{ x }}"]\ncommand:\n  rm -rf /:\n    exit-status: 0\n  id: null\ngossfile:\n  more.yaml: {}\n',
    );
    await validate({ rules: { yaml: "{{ include }}" }, denied: ["Command"] });
    // What goss has rendered it renders again.
    const rules: unknown = JSON.parse(kept("rules").replaceAll('{{"{{"}}', "{{"));
    expect(rules).toEqual({
      file: { "/etc/x": { contents: ["{{ x }}"] } },
      command: { "rm -rf /": { "exit-status": 0, skip: true }, id: { skip: true } },
    });
    expect(kept("rules")).toContain('{{"{{"}} x }}');
  });

  test("says what is wrong", async () => {
    writeFileSync(folder.file("rendered"), "null\n");
    await expect(validate({ denied: ["command"] })).rejects.toThrow("the rules hold no tests");
    const slow = folder.file("slow");
    mkdirSync(slow);
    writeFileSync(`${slow}/goss`, "#!/bin/sh\nsleep 60\n");
    chmodSync(`${slow}/goss`, 0o755);
    process.env.PATH = `${slow}:${path}`;
    await expect(validate({ timeout: 200 })).rejects.toThrow("goss did not finish: it took longer than 200 ms");
  });
});
