/** Why a token was not accepted. Never holds the token itself. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

/** A token whose time is over: its own or that of its issuer. */
export class TokenExpiredError extends Error {
  override readonly name = "TokenExpiredError";
}

/** Whether an error is one of a token. */
export function isTokenError(error: unknown): error is TokenError | TokenExpiredError {
  return error instanceof TokenError || error instanceof TokenExpiredError;
}
