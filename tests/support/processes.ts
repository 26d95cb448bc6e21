import { readFileSync } from "node:fs";

/** Whether a process runs: it exists, and does not merely wait for somebody to take notice of its end. Linux only. */
export function isRunning(pid: number): boolean {
  try {
    const [state] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\)\s+/s, "")
      .split(" ");
    return state !== "Z";
  } catch {
    return false;
  }
}

/** The command line of a process; empty when it has ended. Linux only. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
