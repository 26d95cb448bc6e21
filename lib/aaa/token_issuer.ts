import type { Clock } from "../std/mod.ts";
import { isExpired, issueClientToken, readTokenClaims, readTokenSigner, TokenExpiredError } from "../tokens/mod.ts";
import type { User } from "./user.ts";

/** `iss` of tokens that belong to no chain. */
const plainIssuer = "Choria Userlist Authenticator";

/** How user tokens are made. */
export interface TokenIssuerOptions {
  /** File of the signing key. */
  signingKey: string;
  /** File of the chain issuer's token; empty where the key alone vouches. */
  signingToken: string;
  /** Lifetime in milliseconds; a chained token never outlives its issuer. */
  validity: number;
  clock: Clock;
}

/** Makes the tokens of users who logged in. Key and token are read each time, so that they can be renewed. */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions;

  constructor(options: TokenIssuerOptions) {
    this.#options = options;
  }

  /**
   * See whether tokens can be made.
   * @throws {Error} naming the file of key or token that cannot be used.
   */
  check(): void {
    const { signingKey, signingToken, clock } = this.#options;
    const { publicKey } = readTokenSigner(signingKey);
    if (signingToken === "") return;
    const { tcs, public_key } = readChainIssuer(signingToken, clock.now());
    if (!tcs) throw new Error(`no Trust Chain Signature claim in JWT Signing Token ${signingToken}`);
    if (public_key?.toLowerCase() === publicKey) return;
    throw new Error(`The signing key ${signingKey} does not belong to the token ${signingToken}`);
  }

  /**
   * Make a user's token.
   *
   * @param publicKey Key of the user, hex.
   * @throws {Error} when key or token of the issuer cannot be used.
   */
  async issue(user: User, policy: string, publicKey: string): Promise<string> {
    const { signingKey, signingToken, validity, clock } = this.#options;
    const now = clock.now();
    const hasProperties = Object.keys(user.properties).length > 0;
    return issueClientToken(
      {
        callerid: `up=${user.username}`,
        agents: user.acls,
        ou: user.organization,
        ...(hasProperties ? { user_properties: user.properties } : {}),
        opa_policy: policy,
        ...(user.permissions === undefined ? {} : { permissions: user.permissions }),
        public_key: publicKey,
      },
      {
        signer: readTokenSigner(signingKey),
        now,
        validity,
        issuer: plainIssuer,
        ...(signingToken === "" ? {} : { chainIssuer: readChainIssuer(signingToken, now) }),
      },
    );
  }
}

function readChainIssuer(file: string, now: number) {
  const { claims } = readTokenClaims(file);
  if (claims.purpose !== "choria_client_id") throw new Error(`the token of the chain issuer, ${file}, is no client's`);
  if (isExpired(claims, now)) throw new TokenExpiredError(`the token of the chain issuer, ${file}, is expired`);
  return claims;
}
