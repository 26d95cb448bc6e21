import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** How {@link writeFileAtomic} leaves the file. */
export interface WriteOptions {
  /**
   * Permission bits of the new file.
   * @default 0o644
   */
  mode?: number;
  /**
   * Who the new file belongs to.
   * @default whoever runs this
   */
  owner?: { uid: number; gid: number };
  /**
   * Create missing folders, with mode 0700.
   * @default false
   */
  makeFolders?: boolean;
}

/**
 * Replace a file in one step: readers see the old content or the new, never a part. The data is written
 * to a neighbour, synced to disk and renamed over the target.
 *
 * @throws the system's error when the folder cannot be written; the target is then untouched.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array, options: WriteOptions = {}): void {
  const { mode = 0o644, owner, makeFolders = false } = options;
  const folder = dirname(path);
  if (makeFolders) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${basename(path)}.${process.pid}.${crypto.randomUUID().slice(0, 8)}`);
  try {
    const file = openSync(temporary, "wx", mode);
    try {
      const bytes = typeof data === "string" ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (owner !== undefined) chownSync(temporary, owner.uid, owner.gid);
    // The mode given to open is narrowed by the process's umask, and a change of owner takes some bits away.
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw named(error, path);
  }
}

/** Writing to an open file fails with an error that does not say which: a full disk is the usual one. */
function named(error: unknown, path: string): unknown {
  if (error instanceof Error && !error.message.includes(basename(path))) error.message += ` '${path}'`;
  return error;
}

/** Whether a regular file stands at `path`. Never throws. */
export function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // For example a folder on the way that cannot be entered, or is none.
    return false;
  }
}
