import { decodeUtf8 } from "../../std/mod.ts";

/** A file or folder of a tar archive. */
export interface TarEntry {
  /** Relative, without `.`, `..` or empty parts; empty for the folder that holds all others. */
  readonly path: string;
  readonly type: "file" | "folder";
  /** Permission bits. */
  readonly mode: number;
  /** Bytes of the content. */
  readonly size: number;
  /** When it was last changed, in seconds since the epoch. */
  readonly changedAt: number;
  /** The content, to be read before the next entry; what is not read is passed over. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** An archive that is damaged, or holds what archives of ours may not. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

const blockSize = 512;
/** Most bytes of an extended header. */
const maxExtension = 65_536;
const maxPath = 1_024;
const maxDepth = 32;

/**
 * Read a tar archive (ustar, with the extended headers of POSIX and the long names of GNU) as it arrives.
 *
 * Bun.Archive has the whole of an archive in memory, and tells neither modes nor links, devices and entries that come
 * twice, which have to be refused here: hence a reader of our own.
 *
 * @throws {ArchiveError} at the first entry that is no plain file or folder, or whose name leads elsewhere, and where
 * the archive is damaged.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const source = new ByteSource(chunks);
  let extended: Extended = {};
  for (;;) {
    const block = await source.block();
    if (block === undefined || block.every((byte) => byte === 0)) return;
    const header = readHeader(block);
    if (header.type in extensions) {
      extended = { ...extended, ...(await readExtension(source, header)) };
      continue;
    }
    const size = extended.size ?? header.size;
    const entry = { ...entryOf(header, extended.path ?? header.path), size };
    extended = {};
    if (entry.type === "folder" && size > 0) throw new ArchiveError(`the folder "${entry.path}" has a content`);
    const content = source.content(size, entry.path);
    yield { ...entry, content };
    // Whatever was left unread stands before the next header.
    for await (const _ of content);
    await source.skip(padding(size), entry.path);
  }
}

/** What stands before an entry and says more of it. */
interface Extended {
  path?: string;
  size?: number;
}

interface Header {
  path: string;
  mode: number;
  size: number;
  changedAt: number;
  type: string;
}

const extensions: Readonly<Record<string, (data: Uint8Array) => Extended>> = {
  L: (data) => ({ path: untilNul(data) }),
  x: readRecords,
  // Of the archive as a whole: a comment as a rule, and never the name of an entry.
  g: () => ({}),
};

async function readExtension(source: ByteSource, { type, size }: Header): Promise<Extended> {
  if (size > maxExtension) throw new ArchiveError("a header is larger than any should be");
  const data = await source.exactly(size, "a header");
  await source.skip(padding(size), "a header");
  return extensions[type]?.(data) ?? {};
}

function readHeader(block: Uint8Array): Header {
  const text = (at: number, length: number) => untilNul(block.subarray(at, at + length));
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (octal(text(148, 8)) !== sum) throw new ArchiveError("invalid tar file detected: a header has another checksum");
  const prefix = text(257, 5) === "ustar" && text(257, 8) !== "ustar  " ? text(345, 155) : "";
  const name = text(0, 100);
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    mode: octal(text(100, 8)) & 0o777,
    size: readSize(block.subarray(124, 136)),
    changedAt: readSize(block.subarray(136, 148)),
    type: String.fromCharCode(block[156] || 48),
  };
}

function entryOf({ type, mode, changedAt }: Header, name: string): Omit<TarEntry, "size" | "content"> {
  const isFolder = type === "5" || (type === "0" && name.endsWith("/"));
  if (type !== "0" && type !== "5") {
    throw new ArchiveError(`only regular files and directories are supported: ${JSON.stringify(name)} is neither`);
  }
  return { path: cleanPath(name), type: isFolder ? "folder" : "file", mode, changedAt };
}

/** A name without what means nothing in it. @throws {ArchiveError} for one that leads out of the archive. */
function cleanPath(name: string): string {
  const shown = JSON.stringify(name.slice(0, 200));
  if (/[\p{Cc}\\]/u.test(name) || name.length > maxPath) {
    throw new ArchiveError(`invalid tar file detected: no file may have the name ${shown}`);
  }
  const parts = name.split("/");
  if (parts.includes("..") || name.startsWith("/")) {
    throw new ArchiveError(`invalid tar file detected: ${shown} leads out of the archive`);
  }
  const path = parts.filter((part) => part !== "" && part !== ".");
  if (path.length > maxDepth) throw new ArchiveError(`invalid tar file detected: ${shown} is nested too deeply`);
  return path.join("/");
}

/** The records of a POSIX header, each `LENGTH KEY=VALUE` and a line end. */
function readRecords(data: Uint8Array): Extended {
  const extended: Extended = {};
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(32, at);
    const length = Number(textOf(data.subarray(at, Math.max(space, at))));
    const isWhole = Number.isInteger(length) && length > space - at + 1 && at + length <= data.length;
    if (space < 0 || !isWhole) throw new ArchiveError("invalid tar file detected: an extended header is damaged");
    const record = textOf(data.subarray(space + 1, at + length - 1));
    const key = record.slice(0, record.indexOf("="));
    const value = record.slice(key.length + 1);
    if (key.startsWith("GNU.sparse")) throw new ArchiveError("only regular files and directories are supported");
    if (key === "path") extended.path = value;
    if (key === "size") extended.size = wholeNumber(value);
    at += length;
  }
  return extended;
}

function readSize(field: Uint8Array): number {
  // Sizes too large for octal digits are binary, marked by the first bit.
  if (((field[0] ?? 0) & 0x80) === 0) return octal(untilNul(field));
  const size = field.reduce((total, byte, at) => total * 256 + (at === 0 ? byte & 0x7f : byte), 0);
  if (Number.isSafeInteger(size)) return size;
  throw new ArchiveError("invalid tar file detected: an entry has no size");
}

function octal(text: string): number {
  const digits = text.trim();
  if (digits === "") return 0;
  if (/^[0-7]{1,12}$/.test(digits)) return Number.parseInt(digits, 8);
  throw new ArchiveError("invalid tar file detected: a header is damaged");
}

function wholeNumber(text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new ArchiveError("invalid tar file detected: an entry has no size");
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return textOf(end < 0 ? bytes : bytes.subarray(0, end));
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    throw new ArchiveError("invalid tar file detected: a name is no text", { cause: error });
  }
}

function padding(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** Bytes that come in chunks of any length, taken in the lengths that are asked for. */
class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next block; undefined where the archive ends. */
  async block(): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0 && !(await this.#more())) return undefined;
    return this.exactly(blockSize, "a header");
  }

  async exactly(length: number, what: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.content(length, what)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  async skip(length: number, what: string): Promise<void> {
    for await (const _ of this.content(length, what));
  }

  /** So many of the bytes that come next; it can be left and taken up again. */
  content(length: number, what: string): AsyncIterable<Uint8Array> {
    let left = length;
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      if (left === 0) return { done: true, value: undefined };
      if (this.#rest.length === 0 && !(await this.#more())) throw new ArchiveError(`the archive ends within "${what}"`);
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      return { done: false, value: part };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async #more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }
}
