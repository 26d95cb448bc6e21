import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JwtContext } from "../../cmd/choria/jwt/context.ts";
import { command } from "../../cmd/choria/jwt.ts";
import type { Prompter } from "../../lib/cli/mod.ts";
import { type Claims, decodeTokenUnverified } from "../../lib/tokens/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { checkout, type Run, run } from "./support.ts";

/** A folder in which the token commands work, by the command line or within the test's own process. */
export interface Workshop extends Disposable {
  readonly path: string;
  file(name: string): string;
  read(name: string): string;
  write(name: string, content: string): void;
  /** The claims in a token file. */
  claims(name: string): Claims;
  /** Run a line of shell in which `choria` is the command line. */
  shell(line: string, env?: Record<string, string>): Promise<Run>;
  /** Run `choria jwt …` within this process; file names are those of {@link file}. */
  jwt(args: readonly string[], world?: Partial<World>): Promise<Outcome>;
}

/** What surrounds a command within this process. */
export interface World {
  clock: FakeClock;
  prompter: Prompter | undefined;
  env: Record<string, string>;
}

/** What a command within this process came to. */
export interface Outcome {
  out: string;
  code: number;
}

/** A new empty {@link Workshop}. */
export function workshop(): Workshop {
  const folder = temporaryFolder();
  const bin = temporaryFolder();
  writeFileSync(bin.file("choria"), `#!/bin/sh\nexec "${join(checkout, "choria")}" "$@"\n`);
  chmodSync(bin.file("choria"), 0o755);
  return {
    path: folder.path,
    file: folder.file,
    read: (name) => readFileSync(folder.file(name), "utf8"),
    write: (name, content) => writeFileSync(folder.file(name), content),
    claims: (name) => decodeTokenUnverified(readFileSync(folder.file(name), "utf8")),
    shell: (line, env = {}) =>
      run(["sh", "-c", `cd "${folder.path}" && ${line}`], { env: { PATH: `${bin.path}:${process.env.PATH}`, ...env } }),
    jwt: (args, world) => inProcess(args, world),
    [Symbol.dispose]() {
      folder[Symbol.dispose]();
      bin[Symbol.dispose]();
    },
  };
}

async function inProcess(args: readonly string[], world: Partial<World> = {}): Promise<Outcome> {
  const outcome: Outcome = { out: "", code: 0 };
  const context: JwtContext = {
    out: {
      write(text) {
        outcome.out += text;
      },
    },
    prompter: world.prompter,
    clock: world.clock ?? new FakeClock(),
    env: world.env ?? {},
    setExitCode(code) {
      outcome.code = code;
    },
  };
  await command(context).parseAsync([...args], { from: "user" });
  return outcome;
}
