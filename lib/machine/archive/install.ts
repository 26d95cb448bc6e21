import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText } from "../../std/mod.ts";
import { type ArchiveLimits, archiveLimits, extractArchive } from "./extract.ts";
import { type FetchOptions, fetchArchive, withoutSecrets } from "./fetch.ts";
import { checkFolder } from "./sums.ts";
import { ArchiveError } from "./tar.ts";

/** What {@link installArchive} installs, and where. */
export interface InstallOptions extends Omit<FetchOptions, "path" | "maxBytes"> {
  /** SHA-256 of the archive, hex. */
  checksum: string;
  /** Folder that the archive's folder comes to lie in; made where it is missing. */
  target: string;
  /** The folder that the archive holds, relative. */
  creates: string;
  /** Name of the file of digests in that folder; empty where there is none. */
  sumsFile: string;
  /** SHA-256 of the file of digests, hex. */
  sumsDigest: string;
  limits?: ArchiveLimits;
}

/** What an archive leaves in its target. */
export type Installed = Pick<InstallOptions, "target" | "creates" | "sumsFile" | "sumsDigest">;

/** What is wrong with an installed archive; empty where nothing is. Never rejects. */
export async function checkInstalled({ target, creates, sumsFile, sumsDigest }: Installed): Promise<string> {
  const folder = join(target, creates);
  if (!isFolder(folder)) return "it is not there";
  return sumsFile === "" ? "" : checkFolder(folder, sumsFile, sumsDigest);
}

/**
 * Fetch an archive, check it, unpack it beside where it belongs, check what came out and put that in the place of what
 * was there, which stays untouched until then.
 *
 * @throws {ArchiveError} naming the place and the reason. Nothing is left behind, whatever happens.
 */
export async function installArchive(options: InstallOptions): Promise<void> {
  const { target, creates } = options;
  let work = "";
  try {
    work = workFolder(options);
    await put(await unpack(options, work), options, work);
  } catch (error) {
    throw new ArchiveError(`Cannot put ${creates} into ${target}: ${errorText(error)}`, { cause: error });
  } finally {
    if (work !== "") rmSync(work, { recursive: true, force: true });
  }
}

/** Fetch, check and unpack into the folder `work`; gives the folder that holds what came out. */
async function unpack(options: InstallOptions, work: string): Promise<string> {
  const { checksum, signal, limits = archiveLimits } = options;
  const [archive, unpacked] = [join(work, "archive.tgz"), join(work, "unpacked")];
  const found = await fetchArchive({ ...options, path: archive, maxBytes: limits.packed });
  const source = withoutSecrets(options.source);
  if (found !== checksum.toLowerCase()) {
    throw new ArchiveError(`archive checksum ${found} != ${checksum} missmatch for ${source}`);
  }
  await extractArchive(archive, unpacked, signal === undefined ? { limits } : { limits, signal });
  const fault = await checkInstalled({ ...options, target: unpacked });
  if (fault !== "") throw new ArchiveError(`the archive ${source} is not what it should be: ${fault}`);
  return unpacked;
}

async function put(unpacked: string, options: InstallOptions, work: string): Promise<void> {
  const { target, creates, signal } = options;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return replace(join(unpacked, creates), join(target, creates), join(work, `replaced${attempt}`));
    } catch (error) {
      // Nodes that share a folder do the same at the same time: another was quicker, or is in the middle of it.
      if ((await checkInstalled(options)) === "") return;
      if (attempt === mostAttempts) throw error;
    }
  }
}

/** Renames alone, so that there is hardly a moment at which nothing is there. */
function replace(made: string, place: string, aside: string): void {
  mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  const isTaken = lstatSync(place, { throwIfNoEntry: false }) !== undefined;
  if (isTaken) renameSync(place, aside);
  try {
    renameSync(made, place);
  } catch (error) {
    if (isTaken && !existsSync(place)) renameSync(aside, place);
    throw error;
  }
}

/** Begins the names of folders in which an archive is unpacked. */
const prefix = "archive-";
/** How often it is tried to put a folder where others put theirs. */
const mostAttempts = 20;
/** After so many milliseconds a try is no longer under way. */
const longestTry = 3_600_000;

/** A folder of our own below `tmp` of the target, which is on the same disk and passed over by who looks for agents. */
function workFolder({ target, clock }: InstallOptions): string {
  if (!existsSync(target)) {
    mkdirSync(target, { recursive: true, mode: 0o700 });
    chmodSync(target, 0o700);
  }
  const common = join(target, "tmp");
  mkdirSync(common, { recursive: true, mode: 0o700 });
  if (!lstatSync(common).isDirectory()) throw new ArchiveError(`${common} is no folder of ours`);
  removeLeftovers(common, clock.now());
  return mkdtempSync(join(common, prefix));
}

/** A process that was killed cannot clean up after itself, and others may be at work: nodes can share a folder. */
function removeLeftovers(common: string, now: number): void {
  for (const name of readdirSync(common)) {
    const changedAt = lstatSync(join(common, name), { throwIfNoEntry: false })?.mtimeMs ?? now;
    const isLeft = name.startsWith(prefix) && now - changedAt > longestTry;
    if (isLeft) rmSync(join(common, name), { recursive: true, force: true });
  }
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}
