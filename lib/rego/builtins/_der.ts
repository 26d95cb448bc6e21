import { bad } from "./_kit.ts";

/** One element of a DER document. */
export interface Der {
  readonly tag: number;
  readonly content: Buffer;
  /** The element with its header. */
  readonly raw: Buffer;
}

/** Reads the elements one after another. */
export function readDer(bytes: Buffer): Der[] {
  const out: Der[] = [];
  for (let pos = 0; pos < bytes.length; ) {
    const tag = bytes[pos] ?? 0;
    const first = bytes[pos + 1] ?? 0xff;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    if (extra > 4 || (tag & 0x1f) === 0x1f || pos + 2 + extra > bytes.length) throw bad("asn1: structure error");
    const length = extra === 0 ? first : bytes.readUIntBE(pos + 2, Math.max(extra, 1));
    const start = pos + 2 + extra;
    if (extra === 0 ? first >= 0x80 : start + length > bytes.length) throw bad("asn1: structure error");
    if (start + length > bytes.length) throw bad("asn1: structure error");
    out.push({ tag, content: bytes.subarray(start, start + length), raw: bytes.subarray(pos, start + length) });
    pos = start + length;
  }
  return out;
}

/** The elements inside a sequence, set or tagged element. */
export function children(der: Der | undefined): Der[] {
  if (der === undefined || (der.tag & 0x20) === 0) throw bad("asn1: structure error");
  return readDer(der.content);
}

/** Numbers of an object identifier. */
export function oid(der: Der | undefined): number[] {
  const out: number[] = [];
  let value = 0;
  for (const byte of der?.content ?? []) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (out.length === 0)
      out.push(Math.min(Math.floor(value / 40), 2), value - 40 * Math.min(Math.floor(value / 40), 2));
    else out.push(value);
    value = 0;
  }
  return out;
}

/** Value of an integer element. */
export function derInteger(der: Der | undefined): bigint {
  const bytes = der?.content ?? Buffer.alloc(0);
  if (bytes.length === 0 || bytes.length > 256) throw bad("asn1: structure error");
  const value = BigInt(`0x${bytes.toString("hex")}`);
  return (bytes[0] ?? 0) < 0x80 ? value : value - (1n << BigInt(bytes.length * 8));
}

/** Text of a string element. */
export function derText(der: Der | undefined): string {
  if (der === undefined) return "";
  if (der.tag === 0x1e) return Buffer.from(der.content).swap16().toString("utf16le");
  return der.content.toString(der.tag === 0x14 ? "latin1" : "utf8");
}

/** A time element as RFC 3339 text. */
export function derTime(der: Der | undefined): string {
  const text = derText(der);
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/.exec(text);
  if (match === null) throw bad("x509: malformed time");
  const [, year = "", month, day, hour, minute, second = "00"] = match;
  const full = year.length === 4 ? year : `${Number(year) >= 50 ? "19" : "20"}${year}`;
  return `${full}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
