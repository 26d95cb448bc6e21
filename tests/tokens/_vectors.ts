import { type KeyPair, keyFromSeed } from "../../lib/crypto/mod.ts";
import keys from "../fixtures/tokens-and-protocol/keys.json";
import tokens from "../fixtures/tokens-and-protocol/tokens.json";

/** A moment within the validity of every captured token that is meant to be valid. */
export const now = Date.UTC(2026, 10, 22);

/** The organization that issued the captured tokens. */
export const issuer = tokens.issuer_public_key;

/** A captured token by its name. */
export function tokenNamed(name: string): string {
  const found = tokens.tokens.find((token) => token.name === name);
  if (found === undefined) throw new Error(`No captured token is called ${name}`);
  return found.token;
}

/** A captured key by its name. */
export function keyNamed(name: string): KeyPair {
  const found = keys.keys.find((key) => key.name === name);
  if (found === undefined) throw new Error(`No captured key is called ${name}`);
  return keyFromSeed(found.seed_hex);
}

/** What a call threw, or undefined. */
export async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}
