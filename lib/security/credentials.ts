import type { Config } from "../config/mod.ts";
import { type KeyPair, readSeedFile } from "../crypto/mod.ts";
import {
  type Claims,
  expiryOf,
  holderOf,
  isExpired,
  readTokenClaims,
  TokenError,
  TokenExpiredError,
} from "../tokens/mod.ts";

/** A node's own proof of who it is. */
export interface Credentials {
  /** The token's text. */
  readonly token: string;
  readonly claims: Claims;
  /** Caller id of a client, identity of a server. */
  readonly holder: string;
  readonly key: KeyPair;
}

/** Where a node's token and seed lie. */
export interface CredentialFiles {
  tokenFile: string;
  seedFile: string;
}

/**
 * The files that a configuration names. A seed that is not named lies beside the token, with the ending `.key`.
 *
 * @throws {Error} `the path to the JWT token is not configured`.
 */
export function credentialFiles(config: Config): CredentialFiles {
  const tokenFile = config.get("plugin.security.choria.token_file");
  if (tokenFile === "") throw new Error("the path to the JWT token is not configured");
  const seedFile = config.get("plugin.security.choria.seed_file") || tokenFile.replace(/\.[^./]*$|$/, ".key");
  return { tokenFile, seedFile };
}

/**
 * Read a node's token and seed, afresh each time: both may be renewed while the node runs.
 *
 * @param now Milliseconds since the epoch.
 * @throws {TokenError} when the token cannot be used, {@link TokenExpiredError} when its time is over, and
 * {@link Error} when the seed cannot be read or is not the token's.
 */
export function readCredentials(files: CredentialFiles, now: number): Credentials {
  const { token, claims } = readTokenClaims(files.tokenFile);
  const holder = holderOf(claims);
  if (!holder) {
    throw new TokenError(`cannot use token ${files.tokenFile} with purpose "${claims.purpose}" as signer token`);
  }
  if (isExpired(claims, now)) {
    const ended = new Date((expiryOf(claims) ?? 0) * 1_000).toISOString();
    throw new TokenExpiredError(`could not parse JWT: the token ${files.tokenFile} is expired since ${ended}`);
  }
  const key = readSeedFile(files.seedFile);
  if (claims.public_key !== undefined && claims.public_key.toLowerCase() !== key.publicKey) {
    throw new Error(`The seed ${files.seedFile} does not belong to the token ${files.tokenFile}: log in again`);
  }
  return { token, claims, holder, key };
}
