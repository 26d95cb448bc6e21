import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { LruMap } from "../std/mod.ts";

/** Length of a seed, of a public key and (twice that) of a signature, in bytes. */
const keyLength = 32;
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** Importing a raw key costs more than verifying with it, so the last few hundred public keys are kept. */
const publicKeys = new LruMap<string, KeyObject>(2_048);

/** An ed25519 key that can sign. Its seed is a secret: it never goes into a log or an error. */
export interface KeyPair {
  /** The 32-byte seed as 64 lower-case hex characters. */
  readonly seed: string;
  /** The public key as 64 lower-case hex characters. */
  readonly publicKey: string;
  /** Sign the bytes as they are (RFC 8032, no prehash); gives 64 bytes. */
  sign(data: Uint8Array): Uint8Array;
}

/** Make a new random key. */
export function generateKey(): KeyPair {
  return keyFromSeed(crypto.getRandomValues(new Uint8Array(keyLength)).toHex());
}

/**
 * The key of a seed of 64 hex characters.
 * @throws {TypeError} when the text is not that; the text itself is not repeated.
 */
export function keyFromSeed(seedHex: string): KeyPair {
  const raw = rawKey(seedHex);
  if (raw === undefined) throw new TypeError("Cannot use the ed25519 seed: expected 64 hex characters");
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, raw]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return {
    seed: Buffer.from(raw).toString("hex"),
    publicKey: spki.subarray(spkiPrefix.length).toString("hex"),
    sign: (data) => new Uint8Array(sign(null, data, privateKey)),
  };
}

/** Whether the text is a public key: 64 hex characters, either case. */
export function isPublicKey(text: string): boolean {
  return rawKey(text) !== undefined;
}

/**
 * Check a signature of 64 bytes over exactly these bytes.
 *
 * @param publicKeyHex 64 hex characters; anything else gives false.
 * @returns false for whatever is not a valid signature; never throws.
 */
export function verifySignature(publicKeyHex: string, data: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 2 * keyLength) return false;
  try {
    const key = publicKeyObject(publicKeyHex);
    return key !== undefined && verify(null, data, key, signature);
  } catch {
    return false;
  }
}

/**
 * Like {@link verifySignature}, on another thread: for those to whom many signatures come at once. The bytes must not
 * change until it is done.
 */
export function verifySignatureApart(publicKeyHex: string, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    if (signature.length !== 2 * keyLength) return resolve(false);
    try {
      const key = publicKeyObject(publicKeyHex);
      if (key === undefined) return resolve(false);
      verify(null, data, key, signature, (_error, holds) => resolve(holds === true));
    } catch {
      resolve(false);
    }
  });
}

/** The public key as node:crypto holds it, from a bounded cache; undefined when the hex is none. */
export function publicKeyObject(publicKeyHex: string): KeyObject | undefined {
  const cached = publicKeys.get(publicKeyHex);
  if (cached !== undefined) return cached;
  const raw = rawKey(publicKeyHex);
  if (raw === undefined) return undefined;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: "der", type: "spki" });
  publicKeys.set(publicKeyHex, key);
  return key;
}

function rawKey(hex: string): Uint8Array | undefined {
  return /^[0-9a-fA-F]{64}$/.test(hex) ? Uint8Array.fromHex(hex) : undefined;
}
