import { readFileSync } from "node:fs";
import { errorText, isFile, writeFileAtomic } from "../std/mod.ts";
import { isPublicKey, type KeyPair, keyFromSeed } from "./ed25519.ts";

/**
 * Read a seed file: 64 hex characters. White space around them is passed over, though none is ever written,
 * as the original programs stumble over a newline.
 *
 * @throws {Error} naming the file when it cannot be read or holds something else.
 */
export function readSeedFile(path: string): KeyPair {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new Error(`Cannot read the ed25519 seed file "${path}": ${errorText(error)}`, { cause: error });
  }
  try {
    return keyFromSeed(text);
  } catch {
    throw new Error(`Cannot read the ed25519 seed file "${path}": expected 64 hex characters, found ${text.length}`);
  }
}

/** Write a seed, mode 0600, without a newline. */
export function writeSeedFile(path: string, key: KeyPair): void {
  writeFileAtomic(path, key.seed, { mode: 0o600 });
}

/**
 * A public key given either as 64 hex characters or as the path of a file that holds them.
 *
 * @returns lower-case hex.
 * @throws {Error} when it is neither.
 */
export function readPublicKey(hexOrPath: string): string {
  if (!isFile(hexOrPath)) {
    if (isPublicKey(hexOrPath)) return hexOrPath.toLowerCase();
    throw new Error(`Cannot use the public key "${hexOrPath}": expected 64 hex characters or a file that holds them`);
  }
  const text = readFileSync(hexOrPath, "utf8").trim();
  if (!isPublicKey(text)) {
    throw new Error(`Cannot read the public key file "${hexOrPath}": expected 64 hex characters, found ${text.length}`);
  }
  return text.toLowerCase();
}
