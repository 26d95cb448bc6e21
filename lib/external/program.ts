import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ProcessError, type RunResult, runProcess } from "../process/mod.ts";
import { type Clock, errorText, type Logger, systemClock } from "../std/mod.ts";
import { externalProtocols } from "./documents.ts";

/** A program that gave no reply; the message begins as callers of the original know it. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}

/** How much a program may give. */
export interface ProgramLimits {
  /**
   * Longest reply, in bytes.
   * @default 8 MiB
   */
  maxReply?: number;
  /**
   * Most that is printed to stdout and to stderr each, in bytes.
   * @default 4 MiB
   */
  maxOutput?: number;
}

/** One call of a program. */
export interface ProgramCall {
  /** Path of the program. */
  program: string;
  /** One of the {@link externalProtocols}. */
  protocol: string;
  /** The request document. */
  request: string;
  /** Facts of the node as JSON; empty while it is asked whether it wants to be active. */
  facts: string;
  /** Path of the agent's configuration, which need not exist. */
  configFile: string;
  /** Longest run in milliseconds. */
  timeout: number;
  limits?: ProgramLimits | undefined;
  /** Calls the run off. */
  signal?: AbortSignal;
  /** Where the program's output goes: stdout as information, stderr as errors. */
  logger: Logger;
  /** @default systemClock */
  clock?: Clock;
}

const defaultMaxReply = 8 * 1024 * 1024;
/** How often the size of a reply is looked at while the program runs, in milliseconds. */
const watchInterval = 250;
/** Lines of output that are logged for each run, and the characters of each. */
const maxLines = 100;
const maxLine = 2_000;

/**
 * Call a program: the request stands in a file and on stdin, the reply is what the program writes to its reply file,
 * or, where that stays empty, a JSON object on stdout. Files and working folder are the call's own and gone afterwards,
 * as is whatever the program has left running in its process group.
 *
 * @returns the text of the reply, which may be empty.
 * @throws {ProgramError} when it cannot be started, does not end well or in time, or gives too much.
 */
export async function callProgram(call: ProgramCall): Promise<string> {
  call.signal?.throwIfAborted();
  // A folder of its own: programs take settings from their working folder, and in the common one anybody can leave some.
  const folder = await mkdtemp(join(tmpdir(), "choria-"));
  try {
    const files = writeFiles(folder, call);
    const result = await run(call, folder, files);
    return takeReply(result, files.reply, call);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Files {
  request: string;
  reply: string;
  facts: string;
}

function writeFiles(folder: string, { request, facts }: ProgramCall): Files {
  const suffix = crypto.randomUUID().slice(0, 8);
  const write = (name: string, content: string) => {
    const path = join(folder, `${name}${suffix}`);
    writeFileSync(path, content, { mode: 0o600, flag: "wx" });
    return path;
  };
  return { request: write("request", request), reply: write("reply", ""), facts: write("facts", facts) };
}

async function run(call: ProgramCall, folder: string, files: Files): Promise<RunResult> {
  const { program, clock = systemClock, signal, limits = {} } = call;
  const { maxReply = defaultMaxReply, maxOutput } = limits;
  const tooLong = new AbortController();
  const isTooLong = () => sizeOf(files.reply) > maxReply;
  using _watch = clock.every(watchInterval, () => {
    if (isTooLong()) tooLong.abort();
  });
  const failed = (reason: string, cause?: unknown) =>
    new ProgramError(`executing ${basename(program)} failed: ${reason}`, { cause });
  try {
    const result = await runProcess([...commandOf(program), files.request, files.reply, externalProtocols.request], {
      input: Bun.file(files.request),
      timeout: call.timeout,
      env: environment(call, files),
      cwd: folder,
      captureStderr: true,
      endWithProgram: true,
      signal: signal === undefined ? tooLong.signal : AbortSignal.any([signal, tooLong.signal]),
      clock,
      ...(maxOutput === undefined ? {} : { maxOutput }),
    });
    complain(result.stderr, call);
    if (!isTooLong()) return result;
  } catch (error) {
    if (error instanceof ProcessError) complain(error.stderr, call);
    if (!tooLong.signal.aborted) throw failed(errorText(error), error);
  }
  throw failed(`its reply is longer than ${maxReply} bytes`);
}

function complain(stderr: Uint8Array, { logger }: ProgramCall): void {
  logLines(stderr, (line) => logger.error("The agent's program complains", { output: line }));
}

/** TypeScript runs in the Bun that we are: a node needs no other, and the search for one is saved. */
function commandOf(program: string): string[] {
  return program.endsWith(".ts") ? [process.execPath, "--no-install", "--no-env-file", program] : [program];
}

/** All that a program gets to see. */
function environment({ protocol, configFile }: ProgramCall, files: Files): Record<string, string> {
  return {
    CHORIA_EXTERNAL_REQUEST: files.request,
    CHORIA_EXTERNAL_REPLY: files.reply,
    CHORIA_EXTERNAL_PROTOCOL: protocol,
    CHORIA_EXTERNAL_CONFIG: configFile,
    CHORIA_EXTERNAL_FACTS: files.facts,
    PATH: process.env.PATH ?? "",
  };
}

function takeReply({ exitCode, signal, stdout }: RunResult, replyFile: string, call: ProgramCall): string {
  const log = () => logLines(stdout, (line) => call.logger.info("The agent's program says", { output: line }));
  if (exitCode !== 0) {
    log();
    const how = exitCode === null ? `-1, ended by ${signal ?? "a signal"}` : String(exitCode);
    throw new ProgramError(`executing ${basename(call.program)} failed: exit status ${how}`);
  }
  const reply = readReply(replyFile);
  if (reply.trim() === "") {
    const printed = Buffer.from(stdout).toString();
    // Programs print all sorts of things; only an object can be meant as the reply.
    if (printed.trimStart().startsWith("{")) return printed;
  }
  log();
  return reply;
}

function readReply(path: string): string {
  try {
    // Anything else than a file, for example a pipe, might keep us waiting.
    if (!lstatSync(path).isFile()) throw new Error("it is not a regular file");
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ProgramError(`failed to read reply json: ${errorText(error)}`, { cause: error });
  }
}

function sizeOf(path: string): number {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}

function logLines(output: Uint8Array, log: (line: string) => void): void {
  const text = Buffer.from(output.subarray(0, maxLines * maxLine)).toString();
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  for (const line of lines.slice(0, maxLines)) log(line.slice(0, maxLine));
}
