import { createReadStream, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { StreamConfig } from "@nats-io/jetstream";
import type { Connection } from "../connector/mod.ts";
import { errorText, isObject, type JsonObject, parseObject } from "../std/mod.ts";
import { checkAnswer } from "./_answer.ts";
import { backupData, backupDocument } from "./backup.ts";

/** A backup on disk. */
export interface Backup {
  /** Name and settings of the stream that it is of. */
  config: JsonObject & { name: string };
  state: JsonObject;
  /** Path of the data. */
  data: string;
  /** Bytes of the data. */
  size: number;
}

/**
 * Look at a backup in a folder.
 * @throws {Error} naming the folder, and what is missing in it.
 */
export function readBackup(folder: string): Backup {
  const place = `Cannot read the backup in ${folder}`;
  try {
    const { config, state } = parseObject(readFileSync(join(folder, backupDocument), "utf8"));
    if (!isObject(config) || typeof config.name !== "string" || !isObject(state)) {
      throw new Error(`${backupDocument} holds no configuration and state of a stream`);
    }
    const data = join(folder, backupData);
    return { config: { ...config, name: config.name }, state, data, size: statSync(data).size };
  } catch (error) {
    throw new Error(`${place}: ${errorText(error)}`, { cause: error });
  }
}

/** How {@link restoreStream} works. */
export interface RestoreOptions {
  /** Settings in place of those in the backup. */
  changes?: Partial<StreamConfig>;
  /** Called after each chunk with the bytes sent. */
  onProgress?: (sent: number) => void;
  /** Longest wait for a chunk to be taken, in milliseconds. @default 30_000 */
  patience?: number;
  signal?: AbortSignal;
}

/** Well below what a broker takes in one message. */
const chunkSize = 128 * 1_024;

/**
 * Make a stream from a backup. A stream of that name must not be there.
 *
 * @throws {Error} with the broker's words.
 */
export async function restoreStream(
  { nats }: Pick<Connection, "nats">,
  backup: Backup,
  { changes = {}, onProgress, patience = 30_000, signal }: RestoreOptions = {},
): Promise<void> {
  const timeout = patience;
  const config = { ...backup.config, ...changes };
  const question = JSON.stringify({ config, state: backup.state });
  const subject = `$JS.API.STREAM.RESTORE.${config.name}`;
  const answer = parseObject((await nats.request(subject, question, { timeout })).data);
  checkAnswer(answer);
  const target = answer.deliver_subject;
  if (typeof target !== "string") throw new Error("the broker names no subject to send the backup to");
  let sent = 0;
  for await (const chunk of createReadStream(backup.data, { highWaterMark: chunkSize })) {
    signal?.throwIfAborted();
    const { data } = await nats.request(target, chunk, { timeout });
    // A chunk that is taken is answered without content.
    if (data.length > 0) checkAnswer(parseObject(data));
    sent += chunk.length;
    onProgress?.(sent);
  }
  checkAnswer(parseObject((await nats.request(target, new Uint8Array(), { timeout })).data));
}
