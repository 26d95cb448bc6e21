import { sha256 } from "../crypto/mod.ts";
import { insecureSignature, type Request, type SecureReply, type SecureRequest } from "../protocol/mod.ts";
import type { Credentials } from "./credentials.ts";
import { SecurityError } from "./error.ts";

/** Agent whose requests travel unsigned, as it is the one that signs. */
const signerAgent = "aaa_signer";

/** Somebody who signs requests on behalf of callers, after asking a policy. */
export interface RemoteSigner {
  /**
   * Have a request signed.
   *
   * @param request The encoded request.
   * @returns what the signer made of it; it may have changed the request.
   * @throws {Error} saying why it was not signed.
   */
  sign(request: Uint8Array, credentials: Credentials): Promise<SecureRequest>;
}

/**
 * Make a secure request: signed with the caller's own key, or by a delegate.
 *
 * @param bytes The encoded request.
 * @throws {SecurityError} `remote signer did not set a signer JWT`, or whatever the remote signer says.
 */
export async function signRequest(
  bytes: Uint8Array,
  request: Pick<Request, "agent">,
  credentials: Credentials,
  remote?: RemoteSigner,
): Promise<SecureRequest> {
  if (request.agent === signerAgent) return { request: bytes, signature: insecureSignature, caller: credentials.token };
  if (remote === undefined) {
    return { request: bytes, signature: credentials.key.sign(bytes), caller: credentials.token };
  }
  const signed = await remote.sign(bytes, credentials);
  if (!signed.signer) throw new SecurityError("remote signer did not set a signer JWT");
  // Delegates send their own token as the caller's; it is not under the signature.
  return { ...signed, caller: credentials.token };
}

/** Make a secure reply, signed where the server has a key to sign with. */
export function signReply(bytes: Uint8Array, credentials?: Pick<Credentials, "token" | "key">): SecureReply {
  const secure: SecureReply = { reply: bytes, hash: sha256(bytes) };
  if (credentials === undefined) return secure;
  return { ...secure, signature: credentials.key.sign(bytes), sender: credentials.token };
}
