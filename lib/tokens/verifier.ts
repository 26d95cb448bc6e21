import { sha256Hex } from "../crypto/mod.ts";
import { type Clock, LruMap } from "../std/mod.ts";
import type { Claims, TokenPurpose } from "./claims.ts";
import { TokenExpiredError } from "./error.ts";
import { type ParsedToken, parseToken } from "./parse.ts";
import { type ClaimsByPurpose, isExpired, type VerifyKey, verifyToken } from "./verify.ts";

/**
 * The key by which tokens of an organization are verified.
 *
 * @param ou The claim `ou` as the token has it: not believed yet, and of any type.
 * @throws when the organization has none.
 */
export type KeyOfOrganization = (ou: unknown) => VerifyKey;

/** A token that held, and the ed25519 key by which it did. */
interface Remembered {
  claims: Claims;
  key: string;
}

/**
 * Verifies tokens and remembers those that held, so that a daemon which sees the same caller a thousand times
 * checks its chain once. A remembered token is still refused from the moment it expires.
 */
export class TokenVerifier {
  readonly #clock: Clock;
  readonly #good: LruMap<string, Remembered>;

  /** @param max How many tokens are remembered. */
  constructor(clock: Clock, max = 1_024) {
    this.#clock = clock;
    this.#good = new LruMap(max);
  }

  /** The time by which tokens are judged, milliseconds since the epoch. */
  get now(): number {
    return this.#clock.now();
  }

  /**
   * Like {@link verifyToken}, from memory where possible.
   *
   * @param key The key, or how it follows from the organization that the token names.
   * @throws {TokenError} or {@link TokenExpiredError} when the token is not good now, and whatever `key` throws.
   */
  async verify<P extends TokenPurpose>(
    token: string | ParsedToken,
    purpose: P,
    key: VerifyKey | KeyOfOrganization,
    options: { pinnedChain?: boolean } = {},
  ): Promise<ClaimsByPurpose[P]> {
    const { now } = this;
    const { pinnedChain = false } = options;
    const keyOf = typeof key === "function" ? key : () => key;
    const id = sha256Hex(`${purpose}\n${pinnedChain}\n${typeof token === "string" ? token : token.text}`);
    const known = this.#good.get(id);
    if (known !== undefined && isKey(keyOf(known.claims.ou), known.key)) {
      if (isExpired(known.claims, now)) throw new TokenExpiredError("token has invalid claims: token is expired");
      return known.claims as ClaimsByPurpose[P];
    }
    const parsed = typeof key === "function" && typeof token === "string" ? parseToken(token) : token;
    const chosen = typeof parsed === "string" ? keyOf(undefined) : keyOf(parsed.raw.ou);
    const claims = await verifyToken(parsed, purpose, { key: chosen, now, pinnedChain });
    if ("ed25519" in chosen) this.#good.set(id, { claims, key: chosen.ed25519 });
    return claims;
  }
}

function isKey(key: VerifyKey, ed25519: string): boolean {
  return "ed25519" in key && key.ed25519 === ed25519;
}
