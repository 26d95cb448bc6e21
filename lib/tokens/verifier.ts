import { sha256Hex } from "../crypto/mod.ts";
import { type Clock, LruMap } from "../std/mod.ts";
import type { StandardClaims, TokenPurpose } from "./claims.ts";
import { TokenExpiredError } from "./error.ts";
import type { ParsedToken } from "./parse.ts";
import { type ClaimsByPurpose, isExpired, type VerifyKey, verifyToken } from "./verify.ts";

/**
 * Verifies tokens and remembers those that held, so that a daemon which sees the same caller a thousand times
 * checks its chain once. A remembered token is still refused from the moment it expires.
 */
export class TokenVerifier {
  readonly #clock: Clock;
  readonly #good: LruMap<string, StandardClaims>;

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
   * @throws {TokenError} or {@link TokenExpiredError} when the token is not good now.
   */
  async verify<P extends TokenPurpose>(
    token: string | ParsedToken,
    purpose: P,
    key: VerifyKey,
    options: { pinnedChain?: boolean } = {},
  ): Promise<ClaimsByPurpose[P]> {
    const { now } = this;
    const { pinnedChain = false } = options;
    const text = typeof token === "string" ? token : token.text;
    const id = "ed25519" in key ? sha256Hex(`${purpose}\n${key.ed25519}\n${pinnedChain}\n${text}`) : undefined;
    const known = id === undefined ? undefined : this.#good.get(id);
    if (known !== undefined) {
      if (isExpired(known, now)) throw new TokenExpiredError("token has invalid claims: token is expired");
      return known as ClaimsByPurpose[P];
    }
    const claims = await verifyToken(token, purpose, { key, now, pinnedChain });
    if (id !== undefined) this.#good.set(id, claims);
    return claims;
  }
}
