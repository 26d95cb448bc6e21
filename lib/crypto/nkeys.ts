import { generateKey, type KeyPair, keyFromSeed, verifySignature } from "./ed25519.ts";

/** What a NATS nkey stands for. */
export type NkeyKind = "account" | "user" | "server";

const kindBytes: Readonly<Record<NkeyKind, number>> = { account: 0, server: 13 << 3, user: 20 << 3 };
const seedByte = 18 << 3;
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** An ed25519 key in the text form that NATS uses. */
export interface Nkey {
  /** `U…`, `A…` or `N…`: 56 characters. */
  readonly publicKey: string;
  /** `SU…`, `SA…`, `SN…`: a secret of 58 characters. */
  readonly seed: string;
  /** Sign bytes as they are; gives 64 bytes. */
  sign(data: Uint8Array): Uint8Array;
}

/** Make a new random nkey. */
export function generateNkey(kind: NkeyKind): Nkey {
  return nkeyFromKey(kind, generateKey());
}

/** The nkey of an ed25519 key. */
export function nkeyFromKey(kind: NkeyKind, key: KeyPair): Nkey {
  const kindByte = kindBytes[kind];
  return {
    publicKey: encode([kindByte], Uint8Array.fromHex(key.publicKey)),
    // A seed carries two prefixes in two bytes: that of seeds and, shifted across both, that of the kind.
    seed: encode([seedByte | (kindByte >> 5), (kindByte & 31) << 3], Uint8Array.fromHex(key.seed)),
    sign: key.sign,
  };
}

/**
 * Read an nkey seed.
 * @throws {TypeError} when the text is none of the expected kind, or its checksum is wrong.
 */
export function nkeyFromSeed(kind: NkeyKind, seed: string): Nkey {
  const bytes = decode(seed);
  if (bytes?.length !== 34) throw new TypeError("Cannot use the nkey seed: its form or its checksum is wrong");
  const nkey = nkeyFromKey(kind, keyFromSeed(bytes.subarray(2).toHex()));
  if (nkey.seed !== seed) throw new TypeError(`Cannot use the nkey seed: it is not that of a NATS ${kind}`);
  return nkey;
}

/** Check a signature made by the holder of a public nkey; false for whatever is not valid. */
export function verifyNkeySignature(publicNkey: string, data: Uint8Array, signature: Uint8Array): boolean {
  const bytes = decode(publicNkey);
  return bytes?.length === 33 && verifySignature(bytes.subarray(1).toHex(), data, signature);
}

function encode(prefix: number[], key: Uint8Array): string {
  const body = new Uint8Array([...prefix, ...key]);
  const sum = crc16(body);
  return toBase32(new Uint8Array([...body, sum & 0xff, sum >> 8]));
}

function decode(text: string): Uint8Array | undefined {
  const bytes = fromBase32(text);
  if (bytes === undefined || bytes.length < 3) return undefined;
  const body = bytes.subarray(0, -2);
  const sum = (bytes[bytes.length - 2] ?? 0) | ((bytes[bytes.length - 1] ?? 0) << 8);
  return crc16(body) === sum ? body : undefined;
}

function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += base32[(value >> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + base32[(value << (5 - bits)) & 31] : text;
}

function fromBase32(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    const digit = base32.indexOf(character);
    if (digit < 0) return undefined;
    value = (value << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bytes.push((value >> (bits - 8)) & 0xff);
      bits -= 8;
    }
    value &= (1 << bits) - 1;
  }
  return new Uint8Array(bytes);
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = sum & 0x8000 ? ((sum << 1) ^ 0x1021) & 0xffff : (sum << 1) & 0xffff;
  }
  return sum;
}
