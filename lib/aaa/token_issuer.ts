import type { Clock } from "../std/mod.ts";
import {
  decodeTokenUnverified,
  isExpired,
  issueClientToken,
  readTokenFile,
  readTokenSigner,
  TokenExpiredError,
} from "../tokens/mod.ts";
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
  const claims = decodeTokenUnverified(readTokenFile(file));
  if (isExpired(claims, now)) throw new TokenExpiredError(`the token of the chain issuer, ${file}, is expired`);
  return claims;
}
