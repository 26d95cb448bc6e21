import { readFileSync } from "node:fs";

/** What the kernel says about a process. */
export interface ProcessStat {
  /** Whether it has ended and only waits for its parent to take notice. */
  hasEnded: boolean;
  /** Process id of its parent. */
  parent: number;
  /** When it started, in hundredths of a second since the machine did. Together with the id it names the process. */
  startTicks: number;
}

/**
 * Look a process up in `/proc`.
 *
 * @returns undefined when there is none of that id, and where there is no `/proc`.
 */
export function processStat(pid: number): ProcessStat | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The program's name, in brackets, may hold blanks and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { hasEnded: fields[0] === "Z", parent: Number(fields[1]), startTicks: Number(fields[19]) };
}

/** Send a signal; a process that has ended meanwhile is as good as one that got it. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It went by itself, which is what was wanted.
  }
}
