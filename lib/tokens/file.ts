import { readFileSync } from "node:fs";
import { errorText, writeFileAtomic } from "../std/mod.ts";
import type { Claims } from "./claims.ts";
import { TokenError } from "./error.ts";
import { decodeTokenUnverified } from "./parse.ts";

/**
 * Read a token from a file, without white space around it.
 * @throws {TokenError} naming the file when it cannot be read or is empty.
 */
export function readTokenFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new TokenError(`could not read token file: "${path}": ${errorText(error)}`, { cause: error });
  }
  if (text === "") throw new TokenError(`could not read token file: "${path}" is empty`);
  return text;
}

/**
 * Read a token and its claims from a file, without checking who signed it.
 * @throws {TokenError} naming the file when it cannot be read or holds no token.
 */
export function readTokenClaims(path: string): { token: string; claims: Claims } {
  const token = readTokenFile(path);
  try {
    return { token, claims: decodeTokenUnverified(token) };
  } catch (error) {
    throw new TokenError(`could not parse JWT: the token ${path} is damaged: ${errorText(error)}`, { cause: error });
  }
}

/** Write a token, mode 0600, without a newline. */
export function writeTokenFile(path: string, token: string): void {
  writeFileAtomic(path, token, { mode: 0o600 });
}
