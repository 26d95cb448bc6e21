import { type Prompter, type TextSink, terminalPrompter } from "../../../lib/cli/mod.ts";
import { type Clock, systemClock } from "../../../lib/std/mod.ts";

/** What the token commands have to do with the world outside. */
export interface JwtContext {
  out: TextSink;
  /** Who answers questions; undefined where nobody sits at a terminal. */
  prompter: Prompter | undefined;
  clock: Clock;
  env: Readonly<Record<string, string | undefined>>;
  /** Let the process end with this code once everything is printed. */
  setExitCode(code: number): void;
}

/** The process's own world. */
export function processContext(): JwtContext {
  return {
    out: process.stdout,
    prompter: process.stdin.isTTY ? terminalPrompter : undefined,
    clock: systemClock,
    env: process.env,
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}
