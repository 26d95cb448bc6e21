import { type FSWatcher, watch } from "node:fs";
import type { Connection } from "../connector/mod.ts";
import { backoff, type Clock, errorText, fiveSecondSteps, type Logger } from "../std/mod.ts";
import type { SubmissionSigner } from "./headers.ts";
import { Lane } from "./lane.ts";
import { priorities, type Spool } from "./spool.ts";

/** What {@link startSubmitter} works with. */
export interface SubmitterOptions {
  spool: Spool;
  connection: Pick<Connection, "nats" | "server" | "publish">;
  /** Messages go to `<collective>.submission.in.<subject>`. */
  collective: string;
  /** Signs what is to be signed. */
  signer: SubmissionSigner;
  clock: Clock;
  logger: Logger;
  /**
   * Longest time without looking into the spool, in milliseconds. New files are usually noticed at once.
   * @default 1_000
   */
  pollInterval?: number;
  /** Gives numbers from 0 up to 1; for tests. */
  random?: () => number;
}

/** What sends the messages of a spool on. */
export interface Submitter extends AsyncDisposable {
  /** End it. What is under way stays in the spool and is sent again, with its id, by the next. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Send the messages of a spool, priority by priority, until stopped. Unreliable messages are published once. Reliable
 * ones are tried until a stream acknowledges them, their time is over or their tries are used up; their file is removed
 * after the acknowledgement alone, and a stream knows those that it is sent again by their id, for as long as its
 * duplicate window.
 */
export function startSubmitter(options: SubmitterOptions): Submitter {
  const { spool, random = Math.random, pollInterval = 1_000, clock } = options;
  const logger = options.logger.child({ component: "submission" });
  const stopping = new AbortController();
  const waits = backoff(fiveSecondSteps, random);
  spool.removeLeftovers(clock.now());
  const shared = { ...options, pollInterval, logger, waits, signal: stopping.signal };
  const lanes = Array.from({ length: priorities }, (_, priority) => new Lane({ ...shared, priority }));
  const watchers = lanes.map((lane, priority) =>
    watchFolder(spool.folderOf(priority), (name) => lane.wake(name), logger),
  );
  const done = Promise.all(lanes.map((lane) => lane.run()));
  const stop = async () => {
    stopping.abort();
    for (const watcher of watchers) watcher?.close();
    await done;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

/** Without a watcher the folder is still looked into from time to time. */
function watchFolder(path: string, onChange: (name?: string) => void, logger: Logger): FSWatcher | undefined {
  try {
    const watcher = watch(path, (_event, name) => onChange(name ?? undefined));
    watcher.on("error", (error) => logger.warn("A spool is not watched any more", { path, reason: errorText(error) }));
    return watcher;
  } catch (error) {
    logger.warn("A spool cannot be watched", { path, reason: errorText(error) });
    return undefined;
  }
}
