import { statSync } from "node:fs";
import { type CredentialFiles, type Credentials, readCredentials } from "../security/mod.ts";
import { type Clock, formatRfc3339 } from "../std/mod.ts";
import { expiryOf, isExpired, TokenError, TokenExpiredError } from "../tokens/mod.ts";

/**
 * A server's token and key, read again whenever one of the files has changed. Files that cannot be used any more, or
 * not yet, leave those in hand that were good: a server whose seed is gone can still answer until it starts again.
 */
export class HeldCredentials {
  readonly #files: CredentialFiles;
  readonly #identity: string;
  readonly #clock: Clock;
  #stamp = "";
  #held: Credentials | undefined;

  /** @param identity Whose they must be. */
  constructor(files: CredentialFiles, identity: string, clock: Clock) {
    this.#files = files;
    this.#identity = identity;
    this.#clock = clock;
  }

  /**
   * The credentials as they are now.
   *
   * @throws {TokenError} when the token is not this server's, {@link TokenExpiredError} when its time is over, and
   * whatever reading them says.
   */
  current(): Credentials {
    const now = this.#clock.now();
    const stamp = stampOf(this.#files);
    if (this.#held === undefined || stamp !== this.#stamp) {
      this.#read(now);
      this.#stamp = stamp;
    }
    const held = this.#held;
    if (held !== undefined && !isExpired(held.claims, now)) return held;
    const ended = formatRfc3339((this.expires ?? 0) * 1_000);
    throw new TokenExpiredError(`could not parse JWT: the token ${this.#files.tokenFile} is expired since ${ended}`);
  }

  /** When the token that was last read expires, in Unix seconds; undefined for never or before the first reading. */
  get expires(): number | undefined {
    return this.#held === undefined ? undefined : expiryOf(this.#held.claims);
  }

  #read(now: number): void {
    try {
      this.#held = this.#check(readCredentials(this.#files, now));
    } catch (error) {
      if (this.#held === undefined) throw error;
    }
  }

  #check(credentials: Credentials): Credentials {
    const { claims, holder } = credentials;
    if (claims.purpose !== "choria_server") {
      throw new TokenError(`could not parse JWT: ${this.#files.tokenFile}: not a server token`);
    }
    if (holder === this.#identity) return credentials;
    throw new TokenError(`identity ${this.#identity} does not match caller ${holder} in JWT token`);
  }
}

function stampOf({ tokenFile, seedFile }: CredentialFiles): string {
  return [tokenFile, seedFile]
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? "missing" : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    })
    .join(" ");
}
