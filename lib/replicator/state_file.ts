import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isFile, writeFileAtomic } from "../std/mod.ts";
import type { Tracker } from "./tracker.ts";

/** Where the table of an entry lies. */
export function stateFile(store: string, stream: string, entry: string): string {
  return join(store, `${stream}_${entry}.json`);
}

/**
 * Read a table; a missing file is an empty one.
 * @throws {Error} when the file cannot be read or is no table.
 */
export function loadState(tracker: Tracker, file: string, now: number): void {
  if (isFile(file)) tracker.decode(JSON.parse(readFileSync(file, "utf8")), now);
}

/** Write a table, mode 0600; an empty one removes the file. */
export function saveState(tracker: Tracker, file: string): void {
  if (tracker.size === 0) rmSync(file, { force: true });
  else writeFileAtomic(file, JSON.stringify(tracker.encode()), { mode: 0o600 });
}
