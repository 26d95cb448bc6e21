import { createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { decodeBase64Url, isPublicKey, publicKeyObject, verifySignature } from "../crypto/mod.ts";
import { encodeUtf8, errorText, isFile } from "../std/mod.ts";
import { isChained, verifyChain, verifyChainLink } from "./chain.ts";
import type { Claims, ClientClaims, ProvisioningClaims, ServerClaims, SignedClaims, TokenPurpose } from "./claims.ts";
import { TokenError, TokenExpiredError } from "./error.ts";
import { decodeClaims, decodeSignedClaims, type ParsedToken, parseToken, purposeOf } from "./parse.ts";

/** The claims that a token of a purpose carries. */
export interface ClaimsByPurpose {
  choria_client_id: ClientClaims;
  choria_server: ServerClaims;
  choria_provisioning: ProvisioningClaims;
}

/** A key that may have signed a token: an ed25519 key as hex, or an RSA public key. */
export type VerifyKey = { ed25519: string } | { rsa: KeyObject };

/** How {@link verifyToken} judges. */
export interface VerifyOptions {
  /** The key to verify against: the organization issuer's, unless `pinnedChain` says otherwise. */
  key: VerifyKey;
  /** Milliseconds since the Unix epoch. */
  now: number;
  /**
   * Also accept a chained token whose chain issuer is itself the given key, as the AAA service of the
   * compose environment is configured.
   * @default false
   */
  pinnedChain?: boolean;
}

const rsaAlgorithms = ["RS256", "RS384", "RS512"];
const prefixes: Readonly<Record<TokenPurpose, string>> = {
  choria_client_id: "could not parse client id token: ",
  choria_server: "could not parse server id token: ",
  choria_provisioning: "could not parse provisioner token: ",
};
const notOfPurpose: Readonly<Record<TokenPurpose, string>> = {
  choria_client_id: "not a client token",
  choria_server: "not a server token",
  choria_provisioning: "not a provisioning token",
};

/**
 * Check a token in full: signature, trust chain, times and purpose. This is the one place where tokens are
 * believed.
 *
 * @param token Its text, or what {@link parseToken} made of it.
 * @throws {TokenError} when it does not hold; {@link TokenExpiredError} when its time, or its issuer's, is over.
 */
export async function verifyToken<P extends TokenPurpose>(
  token: string | ParsedToken,
  purpose: P,
  options: VerifyOptions,
): Promise<ClaimsByPurpose[P]> {
  const { raw } = await explained(purpose, () => verifyParsed(token, purpose, options));
  if (purposeOf(raw) !== purpose) throw new TokenError(notOfPurpose[purpose]);
  const claims = await explained(purpose, () => decodeClaims(raw));
  checkTrustRules(claims, options.now);
  return claims as ClaimsByPurpose[P];
}

/**
 * When a token stops being good: the earlier of its own end and its issuer's, in Unix seconds; undefined when
 * it has neither.
 */
export function expiryOf(claims: SignedClaims): number | undefined {
  const ends = [claims.exp, claims.issexp].filter((end) => end !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** Whether a token's time, or its issuer's, is over at `now` (milliseconds since the epoch). */
export function isExpired(claims: SignedClaims, now: number): boolean {
  const end = expiryOf(claims);
  return end !== undefined && now >= end * 1_000;
}

/**
 * A verification key given as 64 hex characters, as a file of them, or as a PEM file with an RSA public key or
 * certificate.
 *
 * @throws {Error} naming the file or text when it is none of these.
 */
export function readVerifyKey(hexOrPath: string): VerifyKey {
  if (!isFile(hexOrPath)) {
    if (isPublicKey(hexOrPath)) return { ed25519: hexOrPath.toLowerCase() };
    throw new Error(`Cannot use the verification key "${hexOrPath}": expected 64 hex characters, or a file`);
  }
  const text = readFileSync(hexOrPath, "utf8").trim();
  if (isPublicKey(text)) return { ed25519: text.toLowerCase() };
  if (!text.startsWith("-----BEGIN ")) {
    throw new Error(`Cannot use the verification key file "${hexOrPath}": invalid ed25519 public key size`);
  }
  try {
    return { rsa: createPublicKey(text) };
  } catch (error) {
    throw new Error(`Cannot use the verification key file "${hexOrPath}": ${errorText(error)}`, { cause: error });
  }
}

/** Errors are told as the original tells them, with what was being read in front. */
async function explained<T>(purpose: TokenPurpose, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const text = prefixes[purpose] + errorText(error);
    if (error instanceof TokenExpiredError) throw new TokenExpiredError(text, { cause: error });
    throw new TokenError(text, { cause: error });
  }
}

/** Signature and times: what must hold before anything else in the token is looked at. */
async function verifyParsed(
  token: string | ParsedToken,
  purpose: TokenPurpose,
  options: VerifyOptions,
): Promise<ParsedToken> {
  const parsed = typeof token === "string" ? parseToken(token) : token;
  const claims = decodeSignedClaims(parsed.raw);
  const key = signingKey(parsed, claims, purpose, options);
  const holds =
    "ed25519" in key && parsed.isPlain ? isSignedBy(key.ed25519, parsed) : await isSignedByJose(key, parsed);
  if (!holds) {
    const method = "rsa" in key ? "crypto/rsa" : "ed25519";
    throw new TokenError(`token signature is invalid: ${method}: verification error`);
  }
  checkTimes(claims, options.now);
  return parsed;
}

/**
 * Check an ed25519 signature at once: through the library of all other tokens it takes half as long again, which a
 * broker notices when a fleet returns.
 */
function isSignedBy(publicKey: string, { text }: ParsedToken): boolean {
  const end = text.lastIndexOf(".");
  const signature = decodeBase64Url(text.slice(end + 1));
  return signature !== undefined && verifySignature(publicKey, encodeUtf8(text.slice(0, end)), signature);
}

/** Check whatever else: RSA, and headers that ask for more. */
async function isSignedByJose(key: VerifyKey, { text }: ParsedToken): Promise<boolean> {
  // Loaded by those who need it: most never see such a token.
  const { compactVerify } = await import("jose");
  const [keyObject, algorithms] = "rsa" in key ? [key.rsa, rsaAlgorithms] : [publicKeyObject(key.ed25519), ["EdDSA"]];
  if (keyObject === undefined) return false;
  return compactVerify(text, keyObject, { algorithms }).then(
    () => true,
    () => false,
  );
}

function signingKey(
  { algorithm }: ParsedToken,
  claims: SignedClaims,
  purpose: TokenPurpose,
  options: VerifyOptions,
): VerifyKey {
  if (algorithm !== "EdDSA" && !rsaAlgorithms.includes(algorithm)) {
    throw new TokenError(`token signature is invalid: signing method ${algorithm} is invalid`);
  }
  if ("rsa" in options.key) {
    if (algorithm === "EdDSA") throw unverifiable("ed25519 public key required");
    return options.key;
  }
  if (algorithm !== "EdDSA") throw unverifiable("rsa public key required");
  const isChain = purpose !== "choria_provisioning" && isChained(claims);
  const signer = isChain ? chainSigner(claims, options.key.ed25519, options.pinnedChain ?? false) : options.key.ed25519;
  if (!isPublicKey(signer)) throw unverifiable("ed25519 public key required");
  return { ed25519: signer };
}

function chainSigner(claims: SignedClaims, trusted: string, pinned: boolean): string {
  try {
    if (pinned) {
      const issuer = verifyChainLink(claims);
      if (issuer.publicKey === trusted.toLowerCase()) return issuer.publicKey;
    }
    return verifyChain(claims, trusted).publicKey;
  } catch (error) {
    throw unverifiable(`not signed by issuer: ${errorText(error)}`);
  }
}

function checkTimes(claims: SignedClaims, now: number): void {
  if (claims.exp !== undefined && now >= claims.exp * 1_000) {
    throw new TokenExpiredError("token has invalid claims: token is expired");
  }
  if (claims.nbf !== undefined && now < claims.nbf * 1_000) {
    throw new TokenError("token has invalid claims: token is not valid yet");
  }
}

/** Rules beyond the signature: a chained token ends with its issuer, and only clients may be chain issuers. */
function checkTrustRules(claims: Claims, now: number): void {
  if (!claims.tcs) return;
  if (claims.purpose !== "choria_client_id" && !isChained(claims)) throw new TokenExpiredError("token is expired");
  if (isChained(claims) && isExpired(claims, now)) throw new TokenExpiredError("token is expired");
}

function unverifiable(reason: string): TokenError {
  return new TokenError(`token is unverifiable: error while executing keyfunc: ${reason}`);
}
