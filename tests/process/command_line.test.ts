import { expect, test } from "bun:test";
import fc from "fast-check";
import { joinCommand, splitCommand } from "../../lib/process/mod.ts";
import shlex from "../fixtures/machines/shlex.json" with { type: "json" };

const shlexCases: { in: string; argv: string[]; error?: string }[] = shlex.cases;

test("a joined command line is read back as the same words, whatever they hold", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (words) => {
      expect(splitCommand(joinCommand(words))).toEqual(words);
    }),
  );
  const odd = ['/it\'s/a "path"/$HOME/`id`\\', "", "a b", "line\nbreak"];
  expect(splitCommand(joinCommand(odd))).toEqual(odd);
});

test("a shell reads a joined command line as the same words", () => {
  const odd = ['/it\'s/a "path"/$HOME/`id`\\', "", "a b", "*"];
  const line = joinCommand(["printf", "%s\\n", ...odd]);
  expect(Bun.spawnSync(["/bin/sh", "-c", line]).stdout.toString()).toBe(`${odd.join("\n")}\n`);
});

test("a command line is read as watchers' commands have always been, where that is asked for", () => {
  const shlex = (line: string) => splitCommand(line, { dialect: "shlex" });
  for (const { in: line, argv, error } of shlexCases) {
    if (error === undefined) expect(shlex(line)).toEqual(argv);
    else expect(() => shlex(line)).toThrow(SyntaxError);
  }
  expect(shlex("a # first\nb '#' c")).toEqual(["a", "b", "#", "c"]);
});
