import { formatDuration } from "../../std/mod.ts";
import type { WatcherDefinition } from "../watcher.ts";

/** Shortest interval of most kinds, in milliseconds. */
const shortest = 500;

/**
 * The interval of a definition in milliseconds, or `fallback` where it has none.
 *
 * @throws {Error} `interval X is too small` below 500 ms.
 */
export function intervalOf({ interval }: WatcherDefinition, fallback: number): number {
  if (interval === 0) return fallback;
  if (interval < shortest) throw new Error(`interval ${formatDuration(interval)} is too small`);
  return interval;
}
