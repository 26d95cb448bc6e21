import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { sha256Hex } from "../../crypto/mod.ts";
import { encodeUtf8 } from "../../std/mod.ts";
import { pluginSums } from "../plugins/manager_machine.ts";
import { checkPluginName } from "../plugins/specification.ts";
import { formatSums, sumFolder } from "./sums.ts";

/** An archive as plugins are published. */
export interface PackedArchive {
  /** Name of the plugin: of the folder that the archive holds. */
  name: string;
  /** A gzipped tar archive. */
  archive: Uint8Array;
  /** SHA-256 of the archive, hex. */
  checksum: string;
  /** SHA-256 of the file of digests in it, hex. */
  verifyChecksum: string;
}

/**
 * Make the archive of a plugin from a folder: its files with their digests in `SHA256SUMS`. The same files give the same
 * bytes, whoever makes it and whenever: of their permissions only whether they are programs is kept.
 *
 * @param name Name of the plugin. @default that of the folder
 * @throws {Error} naming what cannot be packed: links, devices, an empty folder, a name that no plugin may have.
 */
export async function packArchive(folder: string, name = basename(resolve(folder))): Promise<PackedArchive> {
  checkPluginName(name);
  const paths = entriesOf(folder);
  const sums = await sumFolder(folder, [pluginSums]);
  if (sums.size === 0) throw new Error(`Cannot pack ${folder}: there are no files in it`);
  const sumsText = encodeUtf8(formatSums(sums));
  const parts = [header(`${name}/`, { type: "5", mode: 0o755, size: 0 })];
  parts.push(...file(`${name}/${pluginSums}`, sumsText, 0o644));
  for (const path of paths) parts.push(...entry(folder, path, name));
  parts.push(new Uint8Array(2 * blockSize));
  const archive = new Uint8Array(gzipSync(Buffer.concat(parts), { level: 9 }));
  return { name, archive, checksum: sha256Hex(archive), verifyChecksum: sha256Hex(sumsText) };
}

const blockSize = 512;

/** Everything below a folder but its own file of digests, sorted. */
function entriesOf(folder: string): string[] {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`${folder} is not a directory`);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((found) => relative(folder, join(found.parentPath, found.name)))
    .filter((path) => path !== pluginSums)
    .sort();
}

function entry(folder: string, path: string, name: string): Uint8Array[] {
  const stats = lstatSync(join(folder, path));
  if (stats.isDirectory()) return [header(`${name}/${path}/`, { type: "5", mode: 0o755, size: 0 })];
  if (!stats.isFile()) throw new Error(`Cannot pack ${join(folder, path)}: only files and folders can be packed`);
  return file(`${name}/${path}`, readFileSync(join(folder, path)), stats.mode & 0o111 ? 0o755 : 0o644);
}

function file(path: string, content: Uint8Array, mode: number): Uint8Array[] {
  const padding = (blockSize - (content.length % blockSize)) % blockSize;
  return [header(path, { type: "0", mode, size: content.length }), content, new Uint8Array(padding)];
}

function header(path: string, { type, mode, size }: { type: string; mode: number; size: number }): Uint8Array {
  const block = Buffer.alloc(blockSize);
  const [prefix, name] = splitPath(path);
  const number = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  block.write(name, 0, 100, "utf8");
  number(mode, 100, 8);
  number(0, 108, 8);
  number(0, 116, 8);
  number(size, 124, 12);
  number(0, 136, 12);
  block.fill(" ", 148, 156);
  block.write(type, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(prefix, 345, 155, "utf8");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Long paths are split over two fields. */
function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ["", path];
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== "" && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return [prefix, name];
  }
  throw new Error(`Cannot pack ${path}: its name is too long for an archive`);
}
