import { readFileSync } from "node:fs";
import { decodeHex, isPublicKey, verifySignature } from "../crypto/mod.ts";
import { type Clock, encodeUtf8, errorText, formatDuration, type Logger } from "../std/mod.ts";
import type { AaaMetrics } from "./metrics.ts";
import { type PasswordChecker, TooBusyError } from "./password.ts";
import type { TokenIssuer } from "./token_issuer.ts";
import type { User } from "./user.ts";
import type { UserDirectory } from "./user_directory.ts";

/** Oldest request to log in that is accepted, in milliseconds. */
const maxAge = 60_000;

/** A request to log in, as it travels. */
export interface LoginRequest {
  username: string;
  password: string;
  /** Hex of an ed25519 signature over `timestamp:username:password`. */
  signature: string;
  /** Hex of the key that the token is for. */
  public_key: string;
  /** Unix time in seconds, in decimal digits. */
  timestamp: string;
}

/** The answer, as it travels. */
export type LoginAnswer = { token: string } | { error: "Login failed" | "Could not sign JWT token" };

/** What {@link LoginService} works with. */
export interface LoginOptions {
  users: UserDirectory;
  passwords: Pick<PasswordChecker, "check">;
  issuer: Pick<TokenIssuer, "issue">;
  clock: Clock;
  logger: Logger;
  metrics: AaaMetrics;
}

/** Why a login was refused, for the log alone. */
class LoginRefused extends Error {
  override readonly name = "LoginRefused";
}

/** Logs users in by name, password and key. The caller never learns why a login failed; the log does. */
export class LoginService {
  readonly #options: LoginOptions;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /**
   * Check a login and make a token.
   * @throws {TooBusyError} when too many logins wait already; nothing else.
   */
  async login(request: LoginRequest): Promise<LoginAnswer> {
    const { metrics, clock } = this.#options;
    const started = clock.now();
    try {
      const answer = await this.#answer(request);
      if ("error" in answer) metrics.authenticatorError();
      return answer;
    } finally {
      metrics.authenticatorTime((clock.now() - started) / 1_000);
    }
  }

  async #answer(request: LoginRequest): Promise<LoginAnswer> {
    const { issuer, logger } = this.#options;
    const username = request.username.slice(0, 128);
    let user: User;
    let policy: string;
    try {
      checkRequest(request, this.#options.clock.now());
      user = await this.#authenticate(request);
      policy = readPolicy(user);
    } catch (error) {
      if (error instanceof TooBusyError) throw error;
      const text = error instanceof LoginRefused ? error.message : `for user ${username}: ${errorText(error)}`;
      logger.warn(`Login failed ${text}`);
      return { error: "Login failed" };
    }
    try {
      const token = await issuer.issue(user, policy, request.public_key.toLowerCase());
      logger.info(`Logged in user ${username}`);
      return { token };
    } catch (error) {
      logger.error(`Could not sign the token of user ${username}`, { reason: errorText(error) });
      return { error: "Could not sign JWT token" };
    }
  }

  async #authenticate({ username, password }: LoginRequest): Promise<User> {
    const { users, passwords } = this.#options;
    users.refresh();
    const user = users.find(username);
    const isRight = await passwords.check(password, user?.password, users.cost);
    if (user === undefined) throw new LoginRefused(`for unknown user ${username.slice(0, 128)}`);
    if (!isRight) throw new LoginRefused(`for user ${username} due to incorrect password`);
    return user;
  }
}

/** What must hold before anybody's password is looked at, in the order of the original. */
function checkRequest(request: LoginRequest, now: number): void {
  const { username, password, signature, public_key, timestamp } = request;
  const refuse = (reason: string) => new LoginRefused(`for user ${username.slice(0, 128)} due to ${reason}`);
  if (public_key === "") throw refuse("no public key");
  const seconds = /^[+-]?\d{1,18}$/.test(timestamp) ? Number(timestamp) : undefined;
  if (seconds === undefined) throw refuse("an invalid timestamp");
  const age = now - seconds * 1_000;
  if (age < 0) throw refuse("a request from the future");
  if (age > maxAge) throw refuse(`${formatDuration(age)} old request`);
  if (!isPublicKey(public_key)) throw refuse("an invalid public key");
  const bytes = decodeHex(signature);
  if (bytes === undefined) throw refuse("an invalid signature encoding");
  const signed = encodeUtf8(`${timestamp}:${username}:${password}`);
  if (!verifySignature(public_key, signed, bytes)) throw refuse("an invalid signature");
}

function readPolicy({ opaPolicy, opaPolicyFile }: User): string {
  return opaPolicy || opaPolicyFile === "" ? opaPolicy : readFileSync(opaPolicyFile, "utf8");
}
