import { gzipSync } from "node:zlib";

/** An entry of a tar archive, honest or not. */
export interface TarPart {
  name: string;
  /** Type of the entry as the format has it: 0 a file, 5 a folder, 1 and 2 links, 3, 4 and 6 devices. */
  type?: string;
  content?: string | Uint8Array;
  mode?: number;
  /** Another size than that of the content. */
  size?: number;
  /** Where a link leads. */
  link?: string;
  prefix?: string;
}

/** A tar archive with entries of any kind. */
export function tarOf(parts: readonly TarPart[]): Uint8Array {
  return Buffer.concat([...parts.flatMap(partBytes), Buffer.alloc(1024)]);
}

/** A gzipped tar archive with entries of any kind. */
export function tgzOf(parts: readonly TarPart[]): Uint8Array {
  return gzipSync(tarOf(parts));
}

function partBytes(part: TarPart): Uint8Array[] {
  const { name, type = "0", content = "", mode = 0o644, link = "", prefix = "" } = part;
  const bytes = Buffer.from(content);
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
  block.write(`${(part.size ?? bytes.length).toString(8).padStart(11, "0")}\0`, 124);
  block.fill(" ", 148, 156);
  block.write(type, 156);
  block.write(link, 157, 100);
  block.write("ustar\x0000", 257);
  block.write(prefix, 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
}
