import type { Config } from "../../config/mod.ts";
import { readSeedFile } from "../../crypto/mod.ts";
import { type CredentialFiles, credentialFiles } from "../../security/mod.ts";
import { errorText, isFile } from "../../std/mod.ts";
import { decodeTokenUnverified, isExpired, readTokenFile, type ServerClaims } from "../../tokens/mod.ts";

/**
 * Why the credentials that a server's configuration names cannot be used, in the words that operators search logs
 * for; undefined when they are fine.
 *
 * @param now Milliseconds since the epoch.
 */
export function credentialFault(config: Config, now: number): string | undefined {
  const files = filesOf(config);
  if (files === undefined) return "The configuration does not name a server token file, reprovisioning";
  const { tokenFile, seedFile } = files;
  if (!isFile(seedFile)) return `Server seed file ${seedFile} does not exist, reprovisioning`;
  if (!isFile(tokenFile)) return `Server token file ${tokenFile} does not exist, reprovisioning`;
  const claims = readServerClaims(tokenFile);
  if (typeof claims === "string") {
    return `Could not parse server JWT token ${tokenFile}, reprovisioning: ${claims}`;
  }
  const holder = compareKeys(claims, seedFile);
  if (typeof holder === "string") {
    return `Could not compare the token ${tokenFile} to the seed from ${seedFile}, reprovisioning: ${holder}`;
  }
  if (!holder) {
    return `Public key in the JWT file ${tokenFile} does not match the seed file ${seedFile}, reprovisioning`;
  }
  return isExpired(claims, now) ? `The existing server token ${tokenFile} is expired, reprovisioning` : undefined;
}

/** The identity in the token that a configuration names; undefined when there is no usable token. */
export function tokenIdentity(config: Config): string | undefined {
  const files = filesOf(config);
  const claims = files === undefined ? "" : readServerClaims(files.tokenFile);
  return typeof claims === "string" ? undefined : claims.identity;
}

function filesOf(config: Config): CredentialFiles | undefined {
  try {
    return credentialFiles(config);
  } catch {
    return undefined;
  }
}

/** The claims, or why there are none. */
function readServerClaims(path: string): ServerClaims | string {
  try {
    const claims = decodeTokenUnverified(readTokenFile(path));
    return claims.purpose === "choria_server" ? claims : "not a server token";
  } catch (error) {
    return errorText(error);
  }
}

/** Whether the token is of the seed's key, or why that cannot be told. */
function compareKeys(claims: ServerClaims, seedFile: string): boolean | string {
  if (!claims.public_key) return "no public key in the token";
  try {
    return readSeedFile(seedFile).publicKey === claims.public_key.toLowerCase();
  } catch (error) {
    return errorText(error);
  }
}
