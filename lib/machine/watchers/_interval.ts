import { formatDuration } from "../../std/mod.ts";
import type { WatcherDefinition } from "../watcher.ts";

/** Shortest interval of most kinds, in milliseconds. */
const shortest = 500;

/**
 * The interval of a definition in milliseconds, or `fallback` where it has none.
 *
 * @param least What it may not be below.
 * @throws {Error} `interval X is too small`.
 */
export function intervalOf({ interval }: WatcherDefinition, fallback: number, least: number = shortest): number {
  if (interval === 0) return fallback;
  if (interval < least) throw new Error(`interval ${formatDuration(interval)} is too small`);
  return interval;
}
