import type { TokenPurpose, VerifyKey } from "../tokens/mod.ts";
import { SecurityError } from "./error.ts";

/** Whose tokens are believed. */
export interface Trust {
  /** Organization issuers: public key hex by the name that tokens carry as `ou`. */
  readonly issuers: ReadonlyMap<string, string>;
}

/**
 * The key of the issuer that a token claims by its `ou`. Nothing about the token is believed yet.
 *
 * @throws {SecurityError} naming the organization when the token names none that is configured.
 */
export function issuerKey(ou: unknown, trust: Trust, purpose: TokenPurpose = "choria_client_id"): VerifyKey {
  const holder = purpose === "choria_server" ? "server" : "client";
  if (typeof ou !== "string" || ou === "") throw new SecurityError(`no ou found in ${holder} token`);
  const key = trust.issuers.get(ou);
  if (key === undefined) throw new SecurityError(`no issuer found for ${ou} ou`);
  return { ed25519: key };
}
