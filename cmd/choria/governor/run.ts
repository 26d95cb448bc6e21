import { hostname } from "node:os";
import { systemClock } from "../../../lib/std/mod.ts";
import { enterGovernor, GovernorError } from "../../../lib/streams/mod.ts";
import type { ClientSession } from "../client/open.ts";

/** What {@link runGoverned} needs to know. */
export interface GovernedRun {
  governor: string;
  command: readonly string[];
  /** Longest wait for a slot, in milliseconds. */
  maxWait: number;
  /** Milliseconds between tries. */
  interval: number;
  /** Keep the slot until it expires, so that runs in a period are limited and not runs at a time. */
  keepSlot: boolean;
}

/**
 * Run a program while holding a slot of a governor.
 * @returns the program's exit code.
 */
export async function runGoverned(run: GovernedRun, { fleet, config, signal }: ClientSession): Promise<number> {
  // A slot may be gone for long once it is taken.
  checkProgram(run.command);
  const slot = await enterGovernor({
    connection: fleet.connection,
    name: run.governor,
    collective: config.mainCollective,
    holder: config.get("identity") || hostname(),
    timeout: run.maxWait,
    interval: run.interval,
    clock: systemClock,
    signal,
  }).catch((error) => {
    if (error instanceof GovernorError && error.isFull)
      throw new Error(`could not get a execution slot after ${run.maxWait / 1_000} s: ${error.message}`);
    throw error;
  });
  try {
    return await runAttached(run.command, signal);
  } finally {
    if (!run.keepSlot) await slot.leave();
  }
}

/** @throws {Error} naming the program that is not on the PATH. */
export function checkProgram([program = ""]: readonly string[]): void {
  if (Bun.which(program) === null) throw new Error(`Cannot run ${program}: there is no such program`);
}

/**
 * Run a program with our terminal.
 *
 * @param signal Ends it.
 * @returns its exit code, or 128 and the number of the signal that ended it, as shells have it.
 */
export async function runAttached(command: readonly string[], signal?: AbortSignal): Promise<number> {
  const child = Bun.spawn([...command], { stdio: ["inherit", "inherit", "inherit"] });
  const stop = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    return await child.exited;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
