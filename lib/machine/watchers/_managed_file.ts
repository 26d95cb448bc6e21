import { lstat, readFile } from "node:fs/promises";
import { encodeUtf8, writeFileAtomic } from "../../std/mod.ts";
import { accountId } from "./_account.ts";

/** A file as it should be, with every template filled in. */
export interface WantedFile {
  path: string;
  contents: string;
  /** Name or id. */
  owner: string;
  group: string;
  /** `0640`; without the leading zero it is a decimal number. */
  mode: string;
}

/**
 * Make a file what it should be, in one step. A symbolic link in its place is replaced, and what it leads to left alone.
 *
 * @param knownTime When the file was last changed as far as the caller knows: a later change by others has it rewritten.
 * @returns whether there was anything to change.
 * @throws {Error} when it cannot be written, or something other than a file is in its place.
 */
export async function manageFile(wanted: WantedFile, knownTime: number): Promise<boolean> {
  const mode = Number.parseInt(wanted.mode, wanted.mode.startsWith("0") ? 8 : 10);
  if (!(mode >= 0 && mode <= 0o7777)) throw new Error(`Cannot give ${wanted.path} the mode ${wanted.mode}`);
  const owner = { uid: await accountId("passwd", wanted.owner), gid: await accountId("group", wanted.group) };
  const contents = encodeUtf8(wanted.contents);
  if (await isAsWanted(wanted.path, { contents, mode, ...owner, knownTime })) return false;
  writeFileAtomic(wanted.path, contents, { mode, owner });
  return true;
}

interface Wanted {
  contents: Uint8Array;
  mode: number;
  uid: number;
  gid: number;
  knownTime: number;
}

async function isAsWanted(path: string, wanted: Wanted): Promise<boolean> {
  const stat = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (stat === undefined || stat.isSymbolicLink()) return false;
  if (!stat.isFile()) throw new Error(`Cannot manage ${path}: it is no file`);
  const { contents, mode, uid, gid, knownTime } = wanted;
  if (stat.mtimeMs > knownTime || (stat.mode & 0o7777) !== mode || stat.uid !== uid || stat.gid !== gid) return false;
  return stat.size === contents.length && Buffer.from(contents).equals(await readFile(path));
}
