import { InvalidArgumentError, Option } from "commander";
import { errorText, parseDuration } from "../../../lib/std/mod.ts";
import {
  readTokenSigner,
  type TokenSigner,
  vaultSettings,
  vaultSigner,
  writeTokenFile,
} from "../../../lib/tokens/mod.ts";
import type { JwtContext } from "./context.ts";

/** The flag that says how long a token lives, in milliseconds. */
export function validityOption(fallback: string): Option {
  return new Option("--validity <duration>", "lifetime, for example 1h, 30d or 1y")
    .argParser(lifetime)
    .default(lifetime(fallback), fallback);
}

/** Read a lifetime given on the command line, in milliseconds; at least a second. */
export function lifetime(text: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
  if (ms < 1_000) throw new InvalidArgumentError("A lifetime is at least one second.");
  return ms;
}

/** Gather a flag that may be given again and again, or once with commas. */
export function collect(text: string, before: string[] = []): string[] {
  const items = text.split(",").map((item) => item.trim());
  return [...before, ...items.filter((item) => item !== "")];
}

/** The signer that a command line names: a key file, or a key of Vault's. */
export function signerOf(key: string, useVault: boolean, { env }: JwtContext): TokenSigner | Promise<TokenSigner> {
  return useVault ? vaultSigner(key, vaultSettings(env)) : readTokenSigner(key);
}

/**
 * Make a token, save it and say so.
 * @throws {Error} `could not create token: …`.
 */
export async function createToken(file: string, context: JwtContext, make: () => Promise<string>): Promise<void> {
  try {
    save(file, await make());
  } catch (error) {
    throw new Error(`could not create token: ${errorText(error)}`, { cause: error });
  }
  context.out.write(`Saved token to ${file}, use 'choria jwt view ${file}' to view it\n`);
}

function save(file: string, token: string): void {
  try {
    writeTokenFile(file, token);
  } catch (error) {
    throw new Error(`Cannot write the file "${file}": ${plainReason(error)}`, { cause: error });
  }
}

/** Why a file could not be written, without the name of the temporary one beside it. */
export function plainReason(error: unknown): string {
  return errorText(error).replace(/, \w+ '.*$/s, "");
}
