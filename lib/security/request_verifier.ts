import { verifySignature } from "../crypto/mod.ts";
import { decodeRequest, type Request, type SecureRequest } from "../protocol/mod.ts";
import type { ClientClaims, TokenVerifier } from "../tokens/mod.ts";
import { SecurityError } from "./error.ts";
import { issuerKey, type Trust } from "./trust.ts";

/** A request that is proven to come from whom it says. */
export interface VerifiedRequest {
  request: Request;
  /** Claims of the caller's token. */
  caller: ClientClaims;
  /** The caller's token itself, for policies that it carries. */
  callerToken: string;
  /** Claims of the delegate that signed, where one did. */
  signer?: ClientClaims;
}

/**
 * Decides whether a secure request is believed. This is the one place on a server where that happens.
 */
export class RequestVerifier {
  readonly #trust: Trust;
  readonly #tokens: TokenVerifier;

  /** @param tokens Verifies, and remembers, tokens. */
  constructor(trust: Trust, tokens: TokenVerifier) {
    this.#trust = trust;
    this.#tokens = tokens;
  }

  /**
   * Check signature, tokens, permissions and caller.
   *
   * @throws {SecurityError} or a token error saying why it is not believed; {@link ProtocolError} when the request
   * inside is malformed.
   */
  async verify(secure: SecureRequest): Promise<VerifiedRequest> {
    return secure.signer === undefined ? this.#verifyOwn(secure) : this.#verifyDelegated(secure, secure.signer);
  }

  async #verifyOwn(secure: SecureRequest): Promise<VerifiedRequest> {
    const caller = await this.#client(secure.caller);
    if (caller.permissions?.signed_fleet_management) throw deny(caller, "access denied: requires authority delegation");
    if (!caller.permissions?.fleet_management) throw deny(caller, "does not have fleet management access");
    checkSignature(secure, caller);
    const request = decodeRequest(secure.request);
    if (request.caller !== caller.callerid) throw deny(caller, "caller name does not match token");
    return { request, caller, callerToken: secure.caller };
  }

  async #verifyDelegated(secure: SecureRequest, signerToken: string): Promise<VerifiedRequest> {
    const signer = await this.#client(signerToken);
    if (!signer.permissions?.authentication_delegator) throw deny(signer, "does not have delegation permission");
    // The same issuer must stand behind both, so the caller's own `ou` does not choose.
    const caller = await this.#client(secure.caller, signer.ou);
    const { fleet_management, signed_fleet_management } = caller.permissions ?? {};
    if (!fleet_management && !signed_fleet_management) throw deny(caller, "does not have fleet management access");
    checkSignature(secure, signer);
    return { request: decodeRequest(secure.request), caller, callerToken: secure.caller, signer };
  }

  /** @param organization Whose token it has to be; by default that of whom it names. */
  #client(token: string, organization?: string): Promise<ClientClaims> {
    return this.#tokens.verify(token, "choria_client_id", (ou) => issuerKey(organization ?? ou, this.#trust));
  }
}

function checkSignature(secure: SecureRequest, holder: ClientClaims): void {
  if (!holder.public_key) throw deny(holder, "no public key in token");
  if (!verifySignature(holder.public_key, secure.request, secure.signature)) {
    throw deny(holder, "invalid request signature");
  }
}

function deny(claims: ClientClaims, reason: string): SecurityError {
  return new SecurityError(`Request of "${claims.callerid}" is not accepted: ${reason}`);
}
