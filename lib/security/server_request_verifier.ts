import { verifySignatureApart } from "../crypto/mod.ts";
import { decodeRequest, type Request, type SecureRequest } from "../protocol/mod.ts";
import type { TokenVerifier } from "../tokens/mod.ts";
import { SecurityError } from "./error.ts";
import { issuerKey, type Trust } from "./trust.ts";

/**
 * Decides whether a request that a server made about itself, such as a registration, is believed: signed by the holder
 * of a server's token, and sent in that server's name. What clients ask of servers is {@link RequestVerifier}'s.
 */
export class ServerRequestVerifier {
  readonly #trust: Trust;
  readonly #tokens: TokenVerifier;

  /** @param tokens Verifies, and remembers, tokens. */
  constructor(trust: Trust, tokens: TokenVerifier) {
    this.#trust = trust;
    this.#tokens = tokens;
  }

  /**
   * Check token, signature and names.
   *
   * @throws {SecurityError} or a token error saying why it is not believed; {@link ProtocolError} when the request
   * inside is malformed.
   */
  async verify(secure: SecureRequest): Promise<Request> {
    const keyOf = (ou: unknown) => issuerKey(ou, this.#trust, "choria_server");
    const { identity, public_key = "" } = await this.#tokens.verify(secure.caller, "choria_server", keyOf);
    if (secure.signer !== undefined) throw deny(identity, "nobody signs for a server");
    // They come from the whole fleet at once, to programs that have a processor to spare.
    const holds = await verifySignatureApart(public_key, secure.request, secure.signature);
    if (!holds) throw deny(identity, "invalid request signature");
    const request = decodeRequest(secure.request);
    if (request.sender !== identity || request.caller !== identity) {
      throw deny(identity, "its sender is not the holder of the token");
    }
    return request;
  }
}

function deny(identity: string, reason: string): SecurityError {
  return new SecurityError(`Request of server "${identity}" is not accepted: ${reason}`);
}
