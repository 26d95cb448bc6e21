import { describe, expect, test } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { externalSource } from "../../lib/discovery/mod.ts";
import { emptyFilter } from "../../lib/protocol/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { waitFor } from "../support/wait.ts";

const filter = { ...emptyFilter(), fact: [{ fact: "os", operator: "==" as const, value: "linux" }] };
const query = { collective: "choria", filter, timeout: 5_000 };
const { signal } = new AbortController();

/** A program that finds nodes: a shell script. */
async function program(folder: { file: (name: string) => string }, script: string): Promise<string> {
  const path = folder.file("find");
  await Bun.write(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const reply = (document: object) =>
  `echo '${JSON.stringify({ protocol: "io.choria.choria.discovery.v1.external_reply", ...document })}' > "$CHORIA_EXTERNAL_REPLY"`;

describe("a command that finds nodes", () => {
  test("is given the request in a file and answers in another", async () => {
    using folder = temporaryFolder();
    const copy = folder.file("copy");
    const script = `
      [ "$1" = "two words" ] || exit 3
      [ "$2" = "$CHORIA_EXTERNAL_REQUEST" ] || exit 4
      [ "$3" = "$CHORIA_EXTERNAL_REPLY" ] || exit 5
      [ "$4" = "$CHORIA_EXTERNAL_PROTOCOL" ] || exit 6
      [ -z "$HOME" ] || exit 7
      cp "$2" ${copy}
      ${reply({ nodes: ["n1.example.net", "n2", "n1.example.net"] })}`;
    const command = `${await program(folder, script)} 'two words'`;
    const source = externalSource({ command, options: { site: "mt" } });
    expect(await Array.fromAsync(source.discover(query, signal))).toEqual(["n1.example.net", "n2"]);
    expect(JSON.parse(readFileSync(copy, "utf8"))).toEqual({
      $schema: "https://choria.io/schemas/choria/discovery/v1/external_request.json",
      protocol: "io.choria.choria.discovery.v1.external_request",
      collective: "choria",
      filter: {
        fact: [{ fact: "os", operator: "==", value: "linux" }],
        cf_class: [],
        agent: [],
        identity: [],
        compound: [],
      },
      federations: [],
      options: { site: "mt" },
      timeout: 5,
    });
  });

  const faults: [what: string, script: string, text: string][] = [
    ["fails", "echo broken >&2; exit 9", "executing find failed: exit status 9: broken"],
    ["reports an error", reply({ error: "no database" }), "no database"],
    ["writes nothing", "true", "Cannot read the reply of"],
    ["answers in another protocol", `echo '{"protocol":"x"}' > "$2"`, 'got "x"'],
    ["finds what is no node", reply({ nodes: ["a b"] }), 'invalid identity string "a b"'],
  ];
  for (const [what, script, text] of faults) {
    test(`is reported when it ${what}`, async () => {
      using folder = temporaryFolder();
      const command = await program(folder, script);
      await expect(Array.fromAsync(externalSource({ command }).discover(query, signal))).rejects.toThrow(text);
    });
  }

  test("is ended after its time, and when it is called off", async () => {
    using folder = temporaryFolder();
    const command = await program(folder, `touch ${folder.file("started")}; sleep 60`);
    const slow = externalSource({ command }).discover({ ...query, timeout: 1 }, signal);
    await expect(Array.fromAsync(slow)).rejects.toThrow("executing find failed: it took longer than 1000 ms");
    const calling = new AbortController();
    const called = Array.fromAsync(externalSource({ command }).discover(query, calling.signal));
    await waitFor("the command runs", () => Bun.file(folder.file("started")).exists());
    calling.abort(new Error("enough"));
    await expect(called).rejects.toThrow("enough");
    const missing = externalSource({ command: folder.file("none") }).discover(query, signal);
    await expect(Array.fromAsync(missing)).rejects.toThrow("executing none failed");
  });
});
