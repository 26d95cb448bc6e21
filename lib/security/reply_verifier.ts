import { sha256, verifySignatureApart } from "../crypto/mod.ts";
import { decodeReply, type Reply, type SecureReply } from "../protocol/mod.ts";
import { errorText } from "../std/mod.ts";
import { decodeTokenUnverified, isChained, isExpired, type ServerClaims, type TokenVerifier } from "../tokens/mod.ts";
import { SecurityError } from "./error.ts";
import { issuerKey, type Trust } from "./trust.ts";

/** How strict {@link ReplyVerifier} is. */
export interface ReplyVerifierOptions {
  /**
   * Take replies by their digest alone, as the original client does: for nodes that have no key yet, and for
   * networks that do not sign replies.
   * @default false
   */
  acceptUnverified?: boolean;
}

/**
 * Decides whether a secure reply is believed. With issuers configured the server's token must be issued by one of
 * them. A client that knows no issuer still checks signature, identity and request id, and the chain of a token that
 * has one; that a token without a chain comes from the organization is then taken on trust.
 */
export class ReplyVerifier {
  readonly #trust: Trust;
  readonly #tokens: TokenVerifier;
  readonly #acceptUnverified: boolean;

  /** @param tokens Verifies, and remembers, tokens. */
  constructor(trust: Trust, tokens: TokenVerifier, options: ReplyVerifierOptions = {}) {
    this.#trust = trust;
    this.#tokens = tokens;
    this.#acceptUnverified = options.acceptUnverified ?? false;
  }

  /**
   * Check digest, signature, token, identity and request id.
   *
   * @param requestId Id of the request that the reply must answer; undefined where any will do.
   * @throws {SecurityError} saying why the reply is not believed; {@link ProtocolError} when it is malformed.
   */
  async verify(secure: SecureReply, requestId?: string): Promise<Reply> {
    if (!Buffer.from(sha256(secure.reply)).equals(secure.hash)) {
      throw new SecurityError("SecureReply message created from the Transport Message is not valid: its hash differs");
    }
    const reply = decodeReply(secure.reply);
    if (this.#acceptUnverified) return reply;
    if (requestId !== undefined && reply.request !== requestId) throw deny(reply, "it answers another request");
    const server = await this.#server(secure, reply);
    if (server.identity !== reply.sender) throw deny(reply, "its sender is not the holder of the token");
    // Replies come by the thousand at once, to programs that have a processor to spare.
    const holds = await verifySignatureApart(
      server.public_key ?? "",
      secure.reply,
      secure.signature ?? new Uint8Array(),
    );
    if (!holds) throw deny(reply, "its signature does not hold");
    return reply;
  }

  async #server(secure: SecureReply, reply: Reply): Promise<ServerClaims> {
    if (secure.sender === undefined || secure.signature === undefined) throw deny(reply, "it is not signed");
    try {
      if (this.#trust.issuers.size > 0) {
        const keyOf = (ou: unknown) => issuerKey(ou, this.#trust, "choria_server");
        return await this.#tokens.verify(secure.sender, "choria_server", keyOf);
      }
      return await this.#unanchored(secure.sender);
    } catch (error) {
      throw deny(reply, errorText(error));
    }
  }

  async #unanchored(token: string): Promise<ServerClaims> {
    const claims = decodeTokenUnverified(token);
    if (claims.purpose !== "choria_server") throw new SecurityError("its token is not a server's");
    if (isExpired(claims, this.#tokens.now)) throw new SecurityError("its token is expired");
    if (!isChained(claims)) return claims;
    // The key that a chained token itself names as its issuer's is all there is to hold on to.
    const key = claims.iss?.split(".")[1]?.toLowerCase() ?? "";
    return this.#tokens.verify(token, "choria_server", { ed25519: key }, { pinnedChain: true });
  }
}

function deny(reply: Reply, reason: string): SecurityError {
  return new SecurityError(`Reply of "${reply.sender}" is not accepted: ${reason}`);
}
