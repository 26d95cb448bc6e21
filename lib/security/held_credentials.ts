import { statSync } from "node:fs";
import { type Clock, errorText, formatRfc3339, type Logger } from "../std/mod.ts";
import { expiryOf, isExpired, TokenExpiredError } from "../tokens/mod.ts";
import { type CredentialFiles, type Credentials, readCredentials } from "./credentials.ts";

/** What {@link HeldCredentials} may be told. */
export interface HeldOptions {
  /** Throws when credentials that were read are not of the kind that is wanted. */
  check?: (credentials: Credentials) => void;
  /** Is told, once a change, of files that cannot be used any more. */
  logger?: Logger;
}

/**
 * A node's token and key, read again whenever one of the files has changed, so that they can be renewed while it runs
 * and still cost next to nothing for each message. Files that cannot be used any more, or not yet, leave those in hand
 * that were good: a server whose seed is gone can still answer until it starts again.
 */
export class HeldCredentials {
  readonly #files: CredentialFiles;
  readonly #clock: Clock;
  readonly #options: HeldOptions;
  #stamp = "";
  #held: Credentials | undefined;

  constructor(files: CredentialFiles, clock: Clock, options: HeldOptions = {}) {
    this.#files = files;
    this.#clock = clock;
    this.#options = options;
  }

  /**
   * The credentials as they are now.
   *
   * @throws {TokenExpiredError} when the token's time is over, and, as long as none were good, whatever reading or
   * checking them says.
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
      const read = readCredentials(this.#files, now);
      this.#options.check?.(read);
      this.#held = read;
    } catch (error) {
      if (this.#held === undefined) throw error;
      this.#options.logger?.warn("The credentials stay as they were", { reason: errorText(error) });
    }
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
