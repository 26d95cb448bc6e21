import { statSync } from "node:fs";
import { type CredentialFiles, type Credentials, readCredentials } from "../security/mod.ts";
import type { Clock } from "../std/mod.ts";
import { isExpired } from "../tokens/mod.ts";

/**
 * A token and its key, read again as soon as their files change, so that they can be renewed while the service runs
 * and still cost next to nothing for each message.
 */
export class HeldCredentials {
  readonly #files: CredentialFiles;
  readonly #clock: Clock;
  #held: { seen: string; credentials: Credentials } | undefined;

  constructor(files: CredentialFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  /**
   * Token and key as they are now.
   * @throws {Error} when they cannot be read, do not belong together or are expired.
   */
  get(): Credentials {
    const seen = `${stamp(this.#files.tokenFile)} ${stamp(this.#files.seedFile)}`;
    const now = this.#clock.now();
    if (this.#held?.seen !== seen || isExpired(this.#held.credentials.claims, now)) {
      this.#held = { seen, credentials: readCredentials(this.#files, now) };
    }
    return this.#held.credentials;
  }
}

function stamp(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.mtimeMs} ${found.size} ${found.ino}`;
}
