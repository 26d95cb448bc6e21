import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { flatfileSource, formatOf, type NodeFileFormat, parseNodes } from "../../lib/discovery/mod.ts";
import { emptyFilter } from "../../lib/protocol/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const query = { collective: "choria", filter: emptyFilter(), timeout: 1_000 };
const { signal } = new AbortController();

describe("a file of nodes", () => {
  const files: [NodeFileFormat, string, string][] = [
    ["text", "nodes", "n1.example.net\n\n  n2 \r\nn1.example.net\n"],
    ["json", "nodes.json", '["n1.example.net","n2"]'],
    ["yaml", "nodes.yaml", "- n1.example.net\n- n2\n"],
    ["rpc", "results.rpc", '{"agent":"x","replies":[{"sender":"n1.example.net"},{"sender":"n2"}]}'],
  ];
  for (const [format, name, content] of files) {
    test(`may be ${format}, each node counting once`, async () => {
      using folder = temporaryFolder();
      await Bun.write(folder.file(name), content);
      const source = flatfileSource(folder.file(name), format);
      expect(await Array.fromAsync(source.discover(query, signal))).toEqual(["n1.example.net", "n2"]);
    });
  }

  test("may hold more than names", async () => {
    using folder = temporaryFolder();
    await Bun.write(folder.file("n.yaml"), "sites: [{name: a, nodes: [n1]}, {name: b, nodes: [n2, n3]}]");
    const source = flatfileSource(folder.file("n.yaml"), "yaml", 'sites.#(name=="b").nodes');
    expect(await Array.fromAsync(source.discover(query, signal))).toEqual(["n2", "n3"]);
    const nothing = flatfileSource(folder.file("n.yaml"), "yaml", "other");
    await expect(Array.fromAsync(nothing.discover(query, signal))).rejects.toThrow("expected a list of names");
  });

  test("has the format that its name ends in", () => {
    expect(["a.json", "a.yaml", "a.yml", "a.txt", "a"].map(formatOf)).toEqual(["json", "yaml", "yaml", "text", "text"]);
  });

  test("that is missing or something else is named in the error", async () => {
    const read = Array.fromAsync(flatfileSource("/nowhere/nodes").discover(query, signal));
    await expect(read).rejects.toThrow("Cannot read nodes from /nowhere/nodes: ENOENT");
    await expect(parseNodes('{"a":1}', "json", "x.json")).rejects.toThrow("x.json: expected a list of names");
    await expect(parseNodes("[", "json", "x.json")).rejects.toThrow("Cannot read nodes from x.json: ");
    await expect(parseNodes("{}", "rpc", "stdin")).rejects.toThrow(
      "stdin: expected the JSON results of another command",
    );
  });

  test("holds nothing that could leave the subject of a node", async () => {
    for (const bad of ["a b", "a.>", "*", "a..b", ".a", "a.", "a\u0000"]) {
      await expect(parseNodes(JSON.stringify([bad]), "json", "x")).rejects.toThrow("invalid identity string");
    }
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        const names = await parseNodes(text, "text", "x").catch(() => []);
        for (const name of names) expect(name).toMatch(/^[\w-]+(\.[\w-]+)*$/);
      }),
    );
  });
});
