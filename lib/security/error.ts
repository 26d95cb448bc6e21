/** Why a message, though well formed, is not believed. */
export class SecurityError extends Error {
  override readonly name = "SecurityError";
}
