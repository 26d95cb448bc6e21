import { ProcessError, type RunResult, runProcess, splitCommand } from "../process/mod.ts";
import { type Clock, decodeUtf8, errorText } from "../std/mod.ts";
import { decodeHelperReply, encodeHelperRequest, type Helper, helperError } from "./helper.ts";

/** Longest run of a helper for one node, in milliseconds. */
export const helperTimeLimit = 10_000;
/** Most bytes that a helper may print for one node. */
const helperOutputLimit = 4 * 1024 * 1024;

/** Limits of {@link processHelper}. */
export interface ProcessHelperOptions {
  clock: Clock;
  /** @default 10_000 milliseconds */
  timeLimit?: number;
  /** @default 4 MiB */
  outputLimit?: number;
}

/**
 * A helper that is a program, run once for each node: the request on stdin, the reply on stdout, stderr thrown away.
 *
 * @param commandLine Split as a shell does, but no shell is run.
 * @throws {Error} `could not invoke configure helper: cannot parse helper command: …`.
 */
export function processHelper(commandLine: string, options: ProcessHelperOptions): Helper {
  const { timeLimit = helperTimeLimit, outputLimit = helperOutputLimit, clock } = options;
  const command = split(commandLine);
  const name = command[0] ?? "";
  return {
    async ask(request, signal) {
      const result = await run(command, name, {
        input: encodeHelperRequest(request),
        timeout: timeLimit,
        maxOutput: outputLimit,
        clock,
        ...(signal === undefined ? {} : { signal }),
      });
      return readReply(result, name);
    },
  };
}

function split(commandLine: string): string[] {
  try {
    return splitCommand(commandLine);
  } catch (error) {
    throw helperError(`cannot parse helper command: ${errorText(error)}`, error);
  }
}

async function run(command: string[], name: string, options: Parameters<typeof runProcess>[1]): Promise<RunResult> {
  try {
    return await runProcess(command, options);
  } catch (error) {
    const isStart = error instanceof ProcessError && error.fault === "start";
    const what = isStart ? "cannot start" : "could not wait for";
    throw helperError(`${what} ${name}: ${errorText(error)}`, error);
  }
}

function readReply(result: RunResult, name: string) {
  if (result.signal !== null) throw helperError(`could not wait for ${name}: signal: ${result.signal}`);
  if (result.stdout.length === 0) throw helperError(`cannot read ${name} output: zero bytes received`);
  if (result.exitCode !== 0) throw helperError(`could not wait for ${name}: exit status ${result.exitCode}`);
  try {
    return decodeHelperReply(JSON.parse(decodeUtf8(result.stdout)));
  } catch (error) {
    throw helperError(`cannot decode output from ${name}: ${errorText(error)}`, error);
  }
}
