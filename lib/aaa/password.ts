import { availableParallelism } from "node:os";
import { encodeUtf8, errorText, type Logger } from "../std/mod.ts";

/** Bcrypt looks at no more than this many bytes; the runtime would otherwise digest longer passwords first. */
const maxBytes = 72;

/** Salt and digest of a hash that belongs to no known password. */
const decoyRest = `zQIl4gUZbqmKhpQhIeWx3u${".".repeat(31)}`;

/** So many logins wait that another one would only make it worse. */
export class TooBusyError extends Error {
  override readonly name = "TooBusyError";
}

/** How {@link PasswordChecker} spends the processor. */
export interface PasswordCheckerOptions {
  logger: Logger;
  /**
   * Most passwords that are hashed at a time.
   * @default one for each processor
   */
  parallel?: number;
  /**
   * Most passwords that wait for their turn; those beyond are turned away.
   * @default 1_000
   */
  maxWaiting?: number;
}

/** The cost of a bcrypt hash; undefined when the text is none. */
export function bcryptCost(hash: string): number | undefined {
  const match = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash);
  const cost = Number(match?.[1] ?? Number.NaN);
  return cost >= 4 && cost <= 31 ? cost : undefined;
}

/** Checks passwords away from the main thread, a few at a time. */
export class PasswordChecker {
  readonly #logger: Logger;
  readonly #parallel: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: PasswordCheckerOptions) {
    this.#logger = options.logger;
    this.#parallel = options.parallel ?? availableParallelism();
    this.#maxWaiting = options.maxWaiting ?? 1_000;
  }

  /**
   * Whether a password belongs to a bcrypt hash. Where there is no hash, or none that can be used, the same work is
   * done in vain, so that the time tells nobody whether a user exists.
   *
   * @param cost Cost of that vain work.
   * @throws {TooBusyError} when too many wait already.
   */
  async check(password: string, hash: string | undefined, cost: number): Promise<boolean> {
    const isUsable = hash !== undefined && bcryptCost(hash) !== undefined;
    const against = isUsable ? hash : `$2b$${String(cost).padStart(2, "0")}$${decoyRest}`;
    const bytes = encodeUtf8(password).subarray(0, maxBytes);
    await this.#enter();
    try {
      const isRight = await Bun.password.verify(bytes, against, "bcrypt");
      return isRight && isUsable;
    } catch (error) {
      this.#logger.error("A password hash cannot be used", { reason: errorText(error) });
      return false;
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#parallel) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting) throw new TooBusyError("too many logins are waiting");
    // Whoever leaves hands over its place, so the count stays as it is.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}
