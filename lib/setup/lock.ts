import { linkSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, errorCode, writeFileAtomic } from "../std/mod.ts";
import type { Layout } from "./layout.ts";
import { rememberProcess, runningPid } from "./process.ts";

/** Name of the pid file of whoever sets a network up. */
const holder = "setup";

/** What {@link whileAlone} needs. */
export interface LockOptions {
  layout: Layout;
  clock: Clock;
  /** Told that somebody else is waited for. */
  say: (line: string) => void;
}

/**
 * Do something to a network while no other process does: two that make its credentials at once would each make half of
 * them. Whoever was killed at it is not waited for.
 */
export async function whileAlone<T>({ layout, clock, say }: LockOptions, work: () => Promise<T>): Promise<T> {
  const file = layout.pid(holder);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  for (let isTold = false; !take(file); ) {
    if (runningPid(layout, holder) === undefined) {
      rmSync(file, { force: true });
      continue;
    }
    if (!isTold) say("Another setup.sh is at work in this folder: waiting for it");
    isTold = true;
    await clock.sleep(100);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** A link is made in one step, and only where there is none: nobody sees half a lock. */
function take(file: string): boolean {
  const own = `${file}.${process.pid}`;
  writeFileAtomic(own, rememberProcess(process.pid), { mode: 0o600 });
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}
