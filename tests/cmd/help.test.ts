import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { commands } from "../../cmd/choria/commands.ts";
import { checkout, choria } from "./support.ts";

/** Commands that do something themselves, by their words. */
async function leaves(): Promise<Map<string, Command>> {
  const found = new Map<string, Command>();
  const walk = (command: Command, path: string) => {
    const parts = command.commands.filter((part) => /^[a-z]/.test(part.name()));
    if (parts.length === 0) found.set(path, command);
    for (const part of parts) walk(part, `${path} ${part.name()}`);
  };
  for (const { name, hidden, load } of commands) if (!hidden) walk((await load()).command(), name);
  return found;
}

/** What a command writes when it is asked for help. */
function helpOf(command: Command | undefined): string {
  let text = "";
  command?.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command?.outputHelp();
  return text;
}

const page = readFileSync(`${checkout}/docs/command-line.md`, "utf8");
const rows = [...page.matchAll(/^\| `([a-z0-9 ]+)`(?: \([^)]*\))? \| [^|]+ \| `(.+)` \|$/gm)];

describe("every command", () => {
  test("stands in the documentation with an example of it", async () => {
    const known = [...(await leaves()).keys(), "jwt"].sort();
    expect(rows.map(([, name]) => name)).toEqual(known);
    for (const [, name, example] of rows) expect(example).toContain(`choria ${name}`);
  });

  test("has examples in the documentation whose flags it takes", async () => {
    const all = await leaves();
    for (const [, name = "", example = ""] of rows) {
      const flags = example.split(" ").filter((word) => /^--?[a-zA-Z]/.test(word));
      const options = all.get(name)?.options.flatMap(({ long, short }) => [long, short]) ?? [];
      for (const flag of flags) expect({ name, flag, known: options.includes(flag) }).toMatchObject({ known: true });
    }
  });

  test("teaches by an example", async () => {
    const untaught = [...(await leaves())].filter(([, command]) => !/\nExamples?:\n/.test(helpOf(command)));
    expect(untaught.map(([name]) => name)).toEqual([]);
  });

  test("shows its help", async () => {
    const { code, out } = await choria(["broker", "stream", "add", "--help"]);
    expect(code).toBe(0);
    expect(out.split("\n").slice(1)).toEqual(
      helpOf((await leaves()).get("broker stream add"))
        .split("\n")
        .slice(1),
    );
  });
});

describe("the program itself", () => {
  test("loads nothing but the list of commands", () => {
    const imports = (file: string) =>
      [...readFileSync(`${checkout}/cmd/${file}`, "utf8").matchAll(/^import (?!type ).* from "(.+?)"/gm)].map(
        ([, from]) => from,
      );
    expect(imports("choria.ts")).toEqual(["../package.json", "./choria/commands.ts"]);
    expect(imports("choria/commands.ts")).toEqual([]);
  });
});
