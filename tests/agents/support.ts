import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent, JsonObject, Reply } from "../../agents/kit.ts";
import { decodeDdl, findAction, validateInputs } from "../../lib/ddl/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Call an agent with inputs that the server would have let through. */
export function callChecked(
  agent: Agent,
  action: string,
  inputs: JsonObject,
  context: Parameters<Agent["call"]>[2] = {},
): Promise<Reply> {
  validateInputs(findAction(decodeDdl(JSON.parse(agent.ddl()), agent.name), action), inputs);
  return agent.call(action, inputs, context);
}

/** Commands of a test's own in place of all others; PATH is as it was at the end of a `using` block. */
export function fakeCommands(commands: Readonly<Record<string, string>>): Disposable & {
  file: (name: string) => string;
  /** The commands that were run, with their arguments. */
  calls: () => string[];
} {
  const folder = temporaryFolder();
  const before = process.env.PATH;
  const bin = folder.file("bin");
  mkdirSync(bin);
  for (const [name, body] of Object.entries(commands)) {
    const path = join(bin, name);
    writeFileSync(
      path,
      `#!/bin/sh\nprintf "%s\\n" "${name} $*" >> ${folder.file("calls")}\ncd ${folder.path}\n${body}\n`,
    );
    chmodSync(path, 0o755);
  }
  process.env.PATH = bin;
  return {
    file: folder.file,
    calls: () =>
      existsSync(folder.file("calls")) ? readFileSync(folder.file("calls"), "utf8").trim().split("\n") : [],
    [Symbol.dispose]() {
      process.env.PATH = before;
      folder[Symbol.dispose]();
    },
  };
}
