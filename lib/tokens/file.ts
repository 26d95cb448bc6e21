import { readFileSync } from "node:fs";
import { errorText, writeFileAtomic } from "../std/mod.ts";
import { TokenError } from "./error.ts";

/**
 * Read a token from a file, without white space around it.
 * @throws {TokenError} naming the file when it cannot be read or is empty.
 */
export function readTokenFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new TokenError(`could not read token file: ${errorText(error)}`, { cause: error });
  }
  if (text === "") throw new TokenError(`could not read token file: "${path}" is empty`);
  return text;
}

/** Write a token, mode 0600, without a newline. */
export function writeTokenFile(path: string, token: string): void {
  writeFileAtomic(path, token, { mode: 0o600 });
}
