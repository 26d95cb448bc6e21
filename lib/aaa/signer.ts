import { decodeHex, verifySignature } from "../crypto/mod.ts";
import { decodeRequest, encodeRequest, type Request, type SecureRequest } from "../protocol/mod.ts";
import type { HeldCredentials } from "../security/mod.ts";
import { type Clock, decodeUtf8, errorText, type Logger } from "../std/mod.ts";
import type { ClientClaims, TokenVerifier, VerifyKey } from "../tokens/mod.ts";
import type { AuditTrail } from "./audit.ts";
import type { RequestAuthorizer } from "./authorizer.ts";
import type { AaaMetrics } from "./metrics.ts";

/** Longest reason that is handed to a caller. */
const maxReason = 500;

/** Something to be signed, as it travels. */
export interface SignRequest {
  /** The caller's token. */
  token: string;
  /** The encoded request. */
  request: Uint8Array;
  /** Hex of an ed25519 signature over the request, made with the token's key. */
  signature: string;
}

/** What became of it. */
export type SignAnswer =
  | { secureRequest: SecureRequest }
  /** `reason` is there only where the caller is authenticated and a policy refused. */
  | { denied: true; reason?: string };

/** What {@link SigningService} works with. */
export interface SigningOptions {
  /** Verifies, and remembers, tokens. */
  tokens: TokenVerifier;
  /** The key that user tokens are verified with: the chain issuer's own, or the organization's. */
  key: VerifyKey;
  /** Longest remaining lifetime of a token, in milliseconds. */
  maxValidity: number;
  allowBearerTokens: boolean;
  authorizer: Pick<RequestAuthorizer, "authorize">;
  audit: Pick<AuditTrail, "record">;
  delegate: Pick<HeldCredentials, "current">;
  clock: Clock;
  logger: Logger;
  metrics: AaaMetrics;
}

/** Why a request is not signed. */
class SignRefused extends Error {
  override readonly name = "SignRefused";
  /** What an authenticated caller may know of it. */
  readonly reason: string | undefined;

  constructor(detail: string, reason?: string) {
    super(detail);
    this.reason = reason;
  }
}

/** Signs requests on behalf of callers whom the policies of their tokens allow to make them. */
export class SigningService {
  readonly #options: SigningOptions;

  constructor(options: SigningOptions) {
    this.#options = options;
  }

  /** Judge a request and sign it, or not. Never rejects. */
  async sign(asked: SignRequest): Promise<SignAnswer> {
    const { metrics, logger } = this.#options;
    try {
      const secureRequest = await this.#sign(asked);
      metrics.signerAllowed();
      return { secureRequest };
    } catch (error) {
      metrics.signerError();
      metrics.signerDenied();
      logger.warn(`Signing failed: ${errorText(error)}`);
      const reason = error instanceof SignRefused ? error.reason : undefined;
      return { denied: true, ...(reason === undefined ? {} : { reason: oneLine(reason) }) };
    }
  }

  async #sign(asked: SignRequest): Promise<SecureRequest> {
    const request = readRequest(asked.request);
    const claims = await this.#authenticate(asked, request);
    const caller = callerOf(claims);
    const own = { ...request, caller };
    this.#authorize(own, claims);
    const bytes = encodeRequest(own);
    // The record comes before the signature. One that cannot be written is logged and counted, and stops nobody: a full
    // disk must not lock operators out of their fleet.
    const credentials = this.#delegate();
    this.#audit("allow", caller, bytes);
    this.#options.logger.info(`Allowing request ${own.id} from ${caller}@${own.sender} for ${own.agent}`);
    const { token, key } = credentials;
    return { request: bytes, signature: key.sign(bytes), caller: token, signer: token };
  }

  /** Token, its lifetime and the signature made with its key; a failure is recorded under the claimed name. */
  async #authenticate(asked: SignRequest, request: Request): Promise<ClientClaims> {
    try {
      const claims = await this.#verifyToken(asked.token);
      this.#verifySignature(asked, claims);
      return claims;
    } catch (error) {
      this.#deny(request, request.caller);
      throw error;
    }
  }

  async #verifyToken(token: string): Promise<ClientClaims> {
    const { tokens, key, metrics } = this.#options;
    try {
      const claims = await tokens.verify(token, "choria_client_id", key, { pinnedChain: true });
      this.#checkLifetime(claims);
      return claims;
    } catch (error) {
      metrics.signerInvalidToken();
      throw new SignRefused(`invalid token: ${errorText(error)}`);
    }
  }

  #checkLifetime({ permissions, exp }: ClientClaims): void {
    if (permissions?.service) return;
    const { maxValidity, clock } = this.#options;
    if (exp !== undefined && exp * 1_000 - clock.now() <= maxValidity) return;
    throw new SignRefused("invalid claims: expiry is not set or it is too far in the future");
  }

  #verifySignature({ request, signature }: SignRequest, claims: ClientClaims): void {
    if (signature === "") {
      if (this.#options.allowBearerTokens) return;
      throw new SignRefused("invalid signature: no signature");
    }
    const bytes = decodeHex(signature);
    if (bytes === undefined) throw new SignRefused("invalid signature: invalid signature in request: it is not hex");
    if (!claims.public_key) throw new SignRefused("invalid signature: no public key in token");
    if (!verifySignature(claims.public_key, request, bytes)) {
      throw new SignRefused("invalid signature: invalid request signature");
    }
  }

  #authorize(request: Request, claims: ClientClaims): void {
    const { allowed, reason } = this.#options.authorizer.authorize(request, claims);
    if (allowed) return;
    const { id, caller, sender, agent } = request;
    this.#deny(request, caller);
    this.#options.logger.warn(`Denying request ${id} from ${caller}@${sender} for agent ${agent}`, { reason });
    throw new SignRefused(`authorization failed: ${reason}`, reason);
  }

  #delegate() {
    try {
      return this.#options.delegate.current();
    } catch (error) {
      this.#options.logger.error("Nothing can be signed", { reason: errorText(error) });
      throw new SignRefused(`secure request failed: ${errorText(error)}`);
    }
  }

  #deny(request: Request, caller: string): void {
    this.#audit("deny", caller, encodeRequest(request));
  }

  #audit(action: "allow" | "deny", caller: string, request: Uint8Array): void {
    this.#options.audit.record({ action, caller, request: decodeUtf8(request), time: this.#options.clock.now() });
  }
}

function readRequest(bytes: Uint8Array): Request {
  try {
    return decodeRequest(bytes, { fillFilter: true });
  } catch (error) {
    throw new SignRefused(`invalid request: ${errorText(error)}`);
  }
}

/** Dots and at signs would not survive in the subjects that callers have of their own. */
function callerOf({ callerid }: ClientClaims): string {
  if (callerid === "") throw new SignRefused("could not set caller id: no caller received in claims");
  return callerid.replaceAll(/[.@]/g, "_");
}

function oneLine(reason: string): string {
  return reason.replaceAll(/\s*\n\s*/g, "; ").slice(0, maxReason);
}
