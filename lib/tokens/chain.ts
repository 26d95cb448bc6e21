import { decodeHex, type KeyPair, verifySignature } from "../crypto/mod.ts";
import { encodeUtf8, parseKsuid } from "../std/mod.ts";
import type { StandardClaims } from "./claims.ts";
import { TokenError } from "./error.ts";

const issuerPrefix = "I-";
const chainPrefix = "C-";

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
export function isChained(claims: Pick<StandardClaims, "iss">): boolean {
  return claims.iss?.startsWith(chainPrefix) ?? false;
}

/** Whether a token says that its holder may issue others. */
export function isChainIssuer(claims: StandardClaims): boolean {
  return (claims.iss?.startsWith(issuerPrefix) ?? false) && Boolean(claims.tcs);
}

/**
 * The claims that make a token a chain issuer: the organization signs `<jti>.<public key>`.
 *
 * @param organization The organization issuer's key.
 * @throws {TokenError} `no public key set`.
 */
export function chainIssuerClaims(jti: string, publicKey: string | undefined, organization: KeyPair): ChainClaims {
  if (!publicKey) throw new TokenError("no public key set");
  const signed = encodeUtf8(`${jti}.${publicKey}`);
  return { iss: `${issuerPrefix}${organization.publicKey}`, tcs: organization.sign(signed).toHex() };
}

/**
 * The claims that tie a new token to the chain issuer that makes it: the issuer signs `<jti>.<its own tcs>`.
 *
 * @param issuer Claims of the issuer's token.
 * @param key The issuer's key.
 * @returns also `issexp`, the end of the issuer's own time, which is the latest end of the new token's.
 * @throws {TokenError} when the issuer's token cannot issue.
 */
export function chainedClaims(jti: string, issuer: StandardClaims, key: KeyPair): ChainClaims & { issexp: number } {
  if (!issuer.tcs) throw new TokenError("no Trust Chain Signature claim in JWT Signing Token");
  if (!issuer.jti) throw new TokenError("id not set");
  if (!issuer.public_key) throw new TokenError("no public key set");
  if (issuer.exp === undefined) throw new TokenError("issuer has no expiry");
  if (issuer.public_key.toLowerCase() !== key.publicKey) {
    throw new TokenError("the JWT Signing Token does not belong to the JWT Signing Key");
  }
  return {
    iss: `${chainPrefix}${issuer.jti}.${issuer.public_key}`,
    tcs: `${issuer.tcs}.${key.sign(encodeUtf8(`${jti}.${issuer.tcs}`)).toHex()}`,
    issexp: issuer.exp,
  };
}

/**
 * Who a chained token says issued it.
 * @throws {TokenError} `invalid issuer content`.
 */
export function chainIssuerOf(claims: StandardClaims): ChainIssuer {
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
export function verifyChain(claims: StandardClaims, organizationKey: string): ChainIssuer {
  const { issuer, organizationPart } = verifyChainLink(claims);
  const vouched = decodeHex(organizationPart);
  const subject = encodeUtf8(`${issuer.id}.${issuer.publicKey}`);
  if (vouched === undefined || !verifySignature(organizationKey, subject, vouched)) {
    throw new TokenError("chain issuer credentials not signed by org issuer");
  }
  return issuer;
}

/**
 * Check only the lower link: that the chain issuer named in `iss` vouches for the token. Enough where that
 * issuer's key is itself the configured root, as in the AAA service of the compose environment.
 *
 * @throws {TokenError} naming what is missing or does not fit.
 */
export function verifyChainLink(claims: StandardClaims): { issuer: ChainIssuer; organizationPart: string } {
  requireChainClaims(claims);
  const issuer = chainIssuerOf(claims);
  const [organizationPart, issuerPart, extra] = (claims.tcs ?? "").split(".");
  if (!organizationPart || !issuerPart || extra !== undefined) throw new TokenError("invalid trust chain signature");
  const signature = decodeHex(issuerPart);
  const signed = encodeUtf8(`${claims.jti}.${organizationPart}`);
  if (signature === undefined || !verifySignature(issuer.publicKey, signed, signature)) {
    throw new TokenError("invalid chain signature");
  }
  return { issuer, organizationPart };
}

function requireChainClaims(claims: StandardClaims): void {
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
