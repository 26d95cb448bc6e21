import {
  chmodSync,
  closeSync,
  createReadStream,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ArchiveError, readTar, type TarEntry } from "./tar.ts";

/** What an archive may ask for. */
export interface ArchiveLimits {
  /** Most bytes of the archive itself. @default 1 GiB */
  packed: number;
  /** Most bytes of what it holds. @default 4 GiB */
  unpacked: number;
  /** Most files and folders. @default 20,000 */
  entries: number;
  /** How many times its own length it may hold, beyond the first 16 MiB. @default 250 */
  ratio: number;
}

const gibibyte = 1024 ** 3;

/** What archives may ask for by default: larger than any agent, smaller than any disk. */
export const archiveLimits: ArchiveLimits = {
  packed: gibibyte,
  unpacked: 4 * gibibyte,
  entries: 20_000,
  ratio: 250,
};

/** Below it nothing is a bomb. */
const harmless = 16 * 1024 ** 2;

/** Latest time that every file system can hold, in seconds since the epoch. */
const latest = 0x7fff_ffff;

/** What {@link extractArchive} works with. */
export interface ExtractOptions {
  limits?: ArchiveLimits;
  /** Ends the work. */
  signal?: AbortSignal;
}

/**
 * Unpack a gzipped tar archive into a new folder. Files get the archive's times, and its permissions without those that lend rights;
 * they are ours, whoever the archive says they belong to.
 *
 * @param folder Is made here, so that nothing can lie in it that leads elsewhere; after an error the caller removes it.
 * @throws {ArchiveError} for links, devices, names that lead elsewhere or come twice, and for what is damaged or larger
 * than the limits.
 */
export async function extractArchive(archive: string, folder: string, options: ExtractOptions = {}): Promise<void> {
  const { limits = archiveLimits, signal } = options;
  mkdirSync(folder, { mode: 0o700 });
  const packed = createReadStream(archive);
  const unpack = async (chunks: AsyncIterable<Uint8Array>) => {
    const extraction = new Extraction(folder, limits);
    for await (const entry of readTar(counted(chunks, () => packed.bytesRead, limits))) await extraction.take(entry);
    extraction.finish();
  };
  try {
    await pipeline(packed, createGunzip(), unpack, signal === undefined ? {} : { signal });
  } catch (error) {
    throw named(error);
  }
}

/** Errors of zlib say little to somebody who does not know what was unpacked. */
function named(error: unknown): unknown {
  const isGzip = error instanceof Error && "code" in error && /^Z_/.test(String(error.code));
  return isGzip ? new ArchiveError(`it is no gzipped archive, or a damaged one: ${error.message}`) : error;
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  packed: () => number,
  { unpacked, ratio }: ArchiveLimits,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > unpacked) throw new ArchiveError(`it holds more than ${unpacked} bytes`);
    if (total > harmless && total > packed() * ratio) {
      throw new ArchiveError(`it holds more than ${ratio} times its own length`);
    }
    yield chunk;
  }
}

class Extraction {
  readonly #root: string;
  readonly #limits: ArchiveLimits;
  /** Every path that there is, and whether an entry made it or only what is below it. */
  readonly #paths = new Map<string, "file" | "folder" | "implied">();
  readonly #modes: [path: string, mode: number][] = [];

  constructor(root: string, limits: ArchiveLimits) {
    this.#root = root;
    this.#limits = limits;
  }

  async take(entry: TarEntry): Promise<void> {
    if (entry.path === "") return;
    const { path, type, mode } = entry;
    const before = this.#paths.get(path);
    if (before !== undefined && (before !== "implied" || type === "file")) {
      throw new ArchiveError(`invalid tar file detected: "${path}" comes twice`);
    }
    this.#imply(dirname(path));
    this.#note(path, type);
    if (type === "file") await this.#write(entry);
    else {
      if (before === undefined) mkdirSync(join(this.#root, path), { mode: 0o700 });
      this.#modes.push([path, mode | 0o700]);
    }
  }

  /** Folders get their own permissions when nothing more is written to them. */
  finish(): void {
    for (const [path, mode] of this.#modes) chmodSync(join(this.#root, path), mode);
  }

  /** Folders that have no entry of their own. */
  #imply(path: string): void {
    if (path === ".") return;
    const kind = this.#paths.get(path);
    if (kind === "file") throw new ArchiveError(`invalid tar file detected: "${path}" is a file and a folder`);
    if (kind !== undefined) return;
    this.#imply(dirname(path));
    this.#note(path, "implied");
    mkdirSync(join(this.#root, path), { mode: 0o700 });
    this.#modes.push([path, 0o755]);
  }

  #note(path: string, kind: "file" | "folder" | "implied"): void {
    this.#paths.set(path, kind);
    if (this.#paths.size > this.#limits.entries) {
      throw new ArchiveError(`it holds more than ${this.#limits.entries} files and folders`);
    }
  }

  async #write({ path, mode, changedAt, content }: TarEntry): Promise<void> {
    const file = openSync(join(this.#root, path), "wx", 0o600);
    try {
      for await (const chunk of content) for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
      fchmodSync(file, mode);
      // Whoever waits for files to settle need not wait for these: they appear whole.
      const time = Math.min(changedAt, latest);
      futimesSync(file, time, time);
    } finally {
      closeSync(file);
    }
  }
}
