import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Clock, errorCode } from "../std/mod.ts";
import { nanosOf } from "./_time.ts";
import {
  checkMessage,
  decodeMessage,
  encodeMessage,
  type NewMessage,
  newMessage,
  type SpooledMessage,
  SubmissionError,
} from "./message.ts";

/** Where a spool lies, and how much it may hold. */
export interface SpoolOptions {
  /** Made where it is missing. */
  folder: string;
  /** A priority that holds more messages than this takes no more. */
  maxSize: number;
  clock: Clock;
}

/** A file of the spool. */
export interface SpoolEntry {
  path: string;
  message: SpooledMessage;
}

/** Folders of the spool, one a priority. */
const folders = ["P0", "P1", "P2", "P3", "P4"] as const;

/** The number of priorities; 0 is the first. */
export const priorities: number = folders.length;

/**
 * Messages that wait in files: `P0` to `P4` with a file a message, named by the time so that their order is the order
 * of the names. Files appear whole, and are on disk when {@link Spool.submit} returns.
 */
export class Spool {
  readonly #options: SpoolOptions;
  #last = 0n;

  /**
   * @throws {Error} `spool is not configured` without a folder, and the system's error when it cannot be made.
   */
  constructor(options: SpoolOptions) {
    if (options.folder === "") throw new SubmissionError("spool is not configured");
    if (options.maxSize < 1) throw new SubmissionError("spool size is too small");
    this.#options = options;
    this.#makeFolders();
  }

  /** The folder of a priority. */
  folderOf(priority: number): string {
    return join(this.#options.folder, `P${priority}`);
  }

  /**
   * Put a message into the spool.
   *
   * @returns its id.
   * @throws {SubmissionError} when it may not be submitted, or `spool is full`; the system's error when it cannot be
   * written. Nothing of it is left behind then.
   */
  submit(fields: NewMessage): string {
    const created = this.#tick();
    const message = newMessage(fields, created);
    checkMessage(message, this.#options.clock.now());
    if (this.#count(message.priority) > this.#options.maxSize) throw new SubmissionError("spool is full");
    const name = `${created}-${crypto.randomUUID()}.msg`;
    this.#write(join(this.folderOf(message.priority), name), message);
    return message.id;
  }

  /** Names of the messages of a priority, in the order in which they are sent. */
  names(priority: number): string[] {
    return this.#files(priority).filter(isMessage).sort();
  }

  /**
   * Read a message.
   *
   * @returns undefined when it is gone.
   * @throws {Error} when it cannot be read.
   */
  read(priority: number, name: string): SpoolEntry | undefined {
    const path = join(this.folderOf(priority), name);
    try {
      return { path, message: decodeMessage(readFileSync(path)) };
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Replace a message, in its place. */
  replace({ path }: SpoolEntry, message: SpooledMessage): SpoolEntry {
    this.#write(path, message);
    return { path, message };
  }

  /** Remove a file. One that is gone already is no error. */
  remove(path: string): void {
    rmSync(path, { force: true });
  }

  /** Remove what submitters left that ended while they wrote: files that are older than an hour. */
  removeLeftovers(now: number): void {
    const { folder } = this.#options;
    for (const name of readdirSync(folder).filter((found) => /^\.[0-9a-f-]{36}$/.test(found))) {
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      if (stat !== undefined && now - stat.mtimeMs > 3_600_000) rmSync(join(folder, name), { force: true });
    }
  }

  #count(priority: number): number {
    let count = 0;
    for (const name of this.#files(priority)) if (isMessage(name)) count++;
    return count;
  }

  #files(priority: number): string[] {
    try {
      return readdirSync(this.folderOf(priority));
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
      this.#makeFolders();
      return [];
    }
  }

  /** Messages of one process never share a time, so that their order is kept. */
  #tick(): bigint {
    const now = nanosOf(this.#options.clock.now());
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last;
  }

  #makeFolders(): void {
    for (const name of folders) mkdirSync(join(this.#options.folder, name), { recursive: true, mode: 0o700 });
  }

  /** Written outside of the priorities' folders, as other programs take every file in those for a message. */
  #write(path: string, message: SpooledMessage): void {
    const temporary = join(this.#options.folder, `.${crypto.randomUUID()}`);
    try {
      const file = openSync(temporary, "wx", 0o600);
      try {
        const bytes = Buffer.from(encodeMessage(message));
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    syncFolder(this.folderOf(message.priority));
  }
}

function isMessage(name: string): boolean {
  return name.endsWith(".msg");
}

/** A new name is safe once its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
