import { readFileSync } from "node:fs";
import { processStat } from "../../lib/process/mod.ts";

/** Whether a process runs: it exists, and does not merely wait for somebody to take notice of its end. Linux only. */
export function isRunning(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== undefined && !stat.hasEnded;
}

/** The command line of a process; empty when it has ended. Linux only. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
