import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { StreamConfig, StreamState } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { formatBytes, parseObject, writeFileAtomic } from "../std/mod.ts";
import { checkAnswer } from "./_answer.ts";

/** File of a backup that says which stream it is: `{"config":…,"state":…}`. */
export const backupDocument = "backup.json";
/** File of a backup with the messages: a tar archive in S2 compression, as the broker sends it. */
export const backupData = "stream.tar.s2";

/** Most bytes of a backup where nothing else is said: 64 GiB. */
export const defaultBackupLimit = 64 * 1_024 ** 3;

/** The broker sends more than a backup may have. */
export class BackupLimitError extends Error {
  override readonly name = "BackupLimitError";
}

/** How {@link backupStream} works. */
export interface BackupOptions {
  /** Keep the consumers' positions too. @default true */
  consumers?: boolean;
  /** Have the broker check the stream's checksums first. @default false */
  check?: boolean;
  /** Bytes of a chunk; the broker decides by default. */
  chunkSize?: number;
  /** Most bytes, as the broker sends them, so that nothing fills the disk. @default {@link defaultBackupLimit} */
  maxBytes?: number;
  /** Called once the size of the stream is known, and then after each chunk with the bytes received. */
  onProgress?: (received: number, state: StreamState) => void;
  /** Longest wait for the next chunk, in milliseconds. @default 30_000 */
  patience?: number;
  signal?: AbortSignal;
}

/** What a backup came to. */
export interface BackupReport {
  config: StreamConfig;
  state: StreamState;
  /** Compressed bytes. */
  bytes: number;
  chunks: number;
}

/**
 * Copy a stream into a folder, which appears whole or not at all; the format is that of the `nats` command, and the
 * folder is readable by its owner alone.
 *
 * @throws {BackupLimitError} when there is more to it than `maxBytes`.
 * @throws {Error} when there is something at `folder`, the broker refuses, or it stops sending.
 */
export async function backupStream(
  connection: Pick<Connection, "nats" | "newInbox">,
  stream: string,
  folder: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const target = resolve(folder);
  // Renaming would put the new folder in the place of an empty one.
  if (existsSync(target)) throw new Error(`Cannot back up into ${folder}: there is something of that name`);
  // Beside the target, so that it is moved within one file system.
  const partial = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    const report = await receive(connection, stream, join(partial, backupData), options);
    const document = { config: report.config, state: report.state };
    writeFileAtomic(join(partial, backupDocument), `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 });
    renameSync(partial, target);
    return report;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

async function receive(
  connection: Pick<Connection, "nats" | "newInbox">,
  stream: string,
  file: string,
  options: BackupOptions,
): Promise<BackupReport> {
  const { consumers = true, check = false, chunkSize, onProgress, patience = 30_000, signal } = options;
  const { maxBytes = defaultBackupLimit } = options;
  const { nats } = connection;
  const inbox = connection.newInbox();
  const { promise: ended, resolve: end, reject } = Promise.withResolvers<void>();
  // The broker may begin to send before its answer is looked at.
  ended.catch(() => undefined);
  const output = openSync(file, "w", 0o600);
  const count = { bytes: 0, chunks: 0 };
  let state: StreamState | undefined;
  let stall: ReturnType<typeof setTimeout> | undefined;
  const waitOn = () => {
    clearTimeout(stall);
    stall = setTimeout(() => reject(new Error(`the broker has sent nothing for ${patience / 1_000} s`)), patience);
  };
  const take = (message: Msg) => {
    waitOn();
    if (message.data.length === 0) return finish(message, end);
    count.bytes += message.data.length;
    if (count.bytes > maxBytes) throw new BackupLimitError(`the backup is larger than ${formatBytes(maxBytes)}`);
    writeFileSync(output, message.data);
    count.chunks++;
    message.respond();
    if (state !== undefined) onProgress?.(count.bytes, state);
  };
  const subscription = nats.subscribe(inbox, {
    callback: (error, message) => {
      try {
        if (error) throw error;
        take(message);
      } catch (problem) {
        reject(problem);
      }
    },
  });
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    waitOn();
    const question = {
      deliver_subject: inbox,
      no_consumers: !consumers,
      jsck: check,
      ...(chunkSize === undefined ? {} : { chunk_size: chunkSize }),
    };
    const subject = `$JS.API.STREAM.SNAPSHOT.${stream}`;
    const answer = parseObject((await nats.request(subject, JSON.stringify(question), { timeout: patience })).data);
    checkAnswer(answer);
    state = answer.state as StreamState;
    onProgress?.(count.bytes, state);
    await ended;
    fsyncSync(output);
    return { config: answer.config as StreamConfig, state, ...count };
  } catch (error) {
    reject(error);
    throw error;
  } finally {
    clearTimeout(stall);
    signal?.removeEventListener("abort", abort);
    subscription.unsubscribe();
    closeSync(output);
  }
}

/** The last message has no content; where something went wrong its status says what. */
function finish({ headers }: Msg, end: () => void): void {
  if (headers !== undefined && headers.code >= 300) {
    throw new Error(`the broker ended the backup: ${headers.code} ${headers.description}`.trimEnd());
  }
  end();
}
