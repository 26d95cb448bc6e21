import { decodeHex, verifySignature } from "../crypto/mod.ts";
import { encodeUtf8, LruMap, parseKsuid } from "../std/mod.ts";
import type { SignedClaims } from "./claims.ts";
import { TokenError } from "./error.ts";

const issuerPrefix = "I-";
const chainPrefix = "C-";

/** Most organizations have a handful of chain issuers, which stand behind thousands of tokens. */
const vouchers = new LruMap<string, true>(256);

/** A key that can issue within a trust chain: at hand, or in a vault. */
export interface ChainKey {
  /** ed25519, 64 lower-case hex characters. */
  readonly publicKey: string;
  /** Sign the bytes as they are; gives 64 bytes. */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The claims by which a token takes part in a trust chain. */
export interface ChainClaims {
  iss: string;
  tcs: string;
}

/** Who issued a chained token, as its `iss` names it: `C-<id>.<public key>`. */
export interface ChainIssuer {
  /** `jti` of the issuer's own token. */
  id: string;
  /** Its public key, lower-case hex. */
  publicKey: string;
}

/** Whether a token was issued by a chain issuer rather than by the organization itself. */
export function isChained(claims: SignedClaims): boolean {
  return claims.iss?.startsWith(chainPrefix) ?? false;
}

/** Whether a token says that its holder may issue others. */
export function isChainIssuer(claims: SignedClaims): boolean {
  return (claims.iss?.startsWith(issuerPrefix) ?? false) && Boolean(claims.tcs);
}

/**
 * Whether the organization that a chain issuer names in its `iss` vouches for it. Which organization that is, and
 * whether it is the right one, is not asked here.
 */
export function isVouchedChainIssuer(claims: SignedClaims): boolean {
  if (!isChainIssuer(claims)) return false;
  const organization = (claims.iss ?? "").slice(issuerPrefix.length);
  return holds(organization, `${claims.jti}.${claims.public_key?.toLowerCase()}`, claims.tcs ?? "");
}

/**
 * The claims that make a token a chain issuer: the organization signs `<jti>.<public key>`.
 *
 * @param organization The organization issuer's key.
 * @throws {TokenError} `no public key set`.
 */
export async function chainIssuerClaims(
  jti: string,
  publicKey: string | undefined,
  organization: ChainKey,
): Promise<ChainClaims> {
  if (!publicKey) throw new TokenError("no public key set");
  const signature = await organization.sign(encodeUtf8(`${jti}.${publicKey}`));
  return { iss: `${issuerPrefix}${organization.publicKey}`, tcs: signature.toHex() };
}

/**
 * The claims that tie a new token to the chain issuer that makes it: the issuer signs `<jti>.<its own tcs>`.
 *
 * @param issuer Claims of the issuer's token.
 * @param key The issuer's key.
 * @returns also `issexp`, the end of the issuer's own time, which is the latest end of the new token's.
 * @throws {TokenError} when the issuer's token cannot issue.
 */
export async function chainedClaims(
  jti: string,
  issuer: SignedClaims,
  key: ChainKey,
): Promise<ChainClaims & { issexp: number }> {
  if (!issuer.tcs) throw new TokenError("no Trust Chain Signature claim in JWT Signing Token");
  if (!issuer.jti) throw new TokenError("id not set");
  if (!issuer.public_key) throw new TokenError("no public key set");
  if (issuer.exp === undefined) throw new TokenError("issuer has no expiry");
  if (issuer.public_key.toLowerCase() !== key.publicKey) {
    throw new TokenError("the JWT Signing Token does not belong to the JWT Signing Key");
  }
  const signature = await key.sign(encodeUtf8(`${jti}.${issuer.tcs}`));
  return {
    iss: `${chainPrefix}${issuer.jti}.${issuer.public_key}`,
    tcs: `${issuer.tcs}.${signature.toHex()}`,
    issexp: issuer.exp,
  };
}

/**
 * Who a chained token says issued it.
 * @throws {TokenError} `invalid issuer content`.
 */
export function chainIssuerOf(claims: SignedClaims): ChainIssuer {
  const parts = (claims.iss ?? "").slice(chainPrefix.length).split(".");
  const [id, publicKey] = parts;
  if (!id || !publicKey || parts.length !== 2) throw new TokenError("invalid issuer content");
  return { id, publicKey: publicKey.toLowerCase() };
}

/**
 * Check a chained token against the organization: the organization vouches for the chain issuer, the chain
 * issuer for the token. The JWT's own signature is the caller's to check, with the returned key.
 *
 * @param organizationKey Organization issuer, hex.
 * @returns the chain issuer, whose key must have signed the JWT.
 * @throws {TokenError} naming the link that does not hold.
 */
export function verifyChain(claims: SignedClaims, organizationKey: string): ChainIssuer {
  const link = readLink(claims);
  const vouchedFor = `${link.issuer.id}.${link.issuer.publicKey}`;
  if (!vouches(organizationKey, vouchedFor, link.organizationPart)) {
    throw new TokenError("chain issuer credentials not signed by org issuer");
  }
  checkLink(claims, link);
  return link.issuer;
}

/**
 * Check only the lower link: that the chain issuer named in `iss` vouches for the token. Enough where that
 * issuer's key is itself the configured root, as in the AAA service of the compose environment.
 *
 * @throws {TokenError} naming what is missing or does not fit.
 */
export function verifyChainLink(claims: SignedClaims): ChainIssuer {
  const link = readLink(claims);
  checkLink(claims, link);
  return link.issuer;
}

/** The trust chain signature taken apart: who is vouched for, and the two signatures as hex. */
interface ChainLink {
  issuer: ChainIssuer;
  organizationPart: string;
  issuerPart: string;
}

function readLink(claims: SignedClaims): ChainLink {
  requireChainClaims(claims);
  const issuer = chainIssuerOf(claims);
  const [organizationPart, issuerPart, extra] = (claims.tcs ?? "").split(".");
  if (!organizationPart || !issuerPart || extra !== undefined) throw new TokenError("invalid trust chain signature");
  return { issuer, organizationPart, issuerPart };
}

function checkLink(claims: SignedClaims, { issuer, organizationPart, issuerPart }: ChainLink): void {
  if (!holds(issuer.publicKey, `${claims.jti}.${organizationPart}`, issuerPart)) {
    throw new TokenError("invalid chain signature");
  }
}

/** Like {@link holds}, from memory where the very same signature held before. */
function vouches(publicKey: string, signed: string, signatureHex: string): boolean {
  const id = `${publicKey}\n${signed}\n${signatureHex}`;
  if (vouchers.get(id) !== undefined) return true;
  if (!holds(publicKey, signed, signatureHex)) return false;
  vouchers.set(id, true);
  return true;
}

function holds(publicKey: string, signed: string, signatureHex: string): boolean {
  const signature = decodeHex(signatureHex);
  return signature !== undefined && verifySignature(publicKey, encodeUtf8(signed), signature);
}

function requireChainClaims(claims: SignedClaims): void {
  if (!claims.public_key) throw new TokenError("no public key set");
  if (!claims.tcs) throw new TokenError("no trust chain signature set");
  if (!claims.jti) throw new TokenError("id not set");
  if (!claims.iat) throw new TokenError("no issued time set");
  if (!claims.exp) throw new TokenError("no expires set");
  const id = parseKsuid(claims.jti);
  if (id === undefined) throw new TokenError("invalid ksuid format");
  if (id.seconds !== claims.iat) throw new TokenError("id is not based on issued time");
  if (!claims.issexp) throw new TokenError("no issuer expires set");
}
