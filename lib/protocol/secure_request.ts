import { encodeBase64 } from "../crypto/mod.ts";
import { encodeUtf8 } from "../std/mod.ts";
import { decodeDocument, optionalText, requireBytes, requireText } from "./decode.ts";

const protocol = "io.choria.protocol.v2.secure_request";
const what = "SecureRequest";

/** Signature of a request that nobody signed: those to the signer itself. */
export const insecureSignature: Uint8Array = encodeUtf8("insecure");

/** A request with the signature over it and the tokens of those who stand for it. */
export interface SecureRequest {
  /** The request exactly as it was signed. */
  request: Uint8Array;
  /** 64 bytes of ed25519 over `request`. */
  signature: Uint8Array;
  /** The caller's token. */
  caller: string;
  /** Token of the delegate that signed on the caller's behalf. */
  signer?: string;
}

/** Write a secure request as `io.choria.protocol.v2.secure_request`. */
export function encodeSecureRequest(secure: SecureRequest): Uint8Array {
  return encodeUtf8(
    JSON.stringify({
      protocol,
      request: encodeBase64(secure.request),
      signature: encodeBase64(secure.signature),
      caller: secure.caller,
      signer: secure.signer || undefined,
    }),
  );
}

/**
 * Read a secure request.
 * @throws {ProtocolError} naming the field that is missing or of another form.
 */
export function decodeSecureRequest(bytes: Uint8Array): SecureRequest {
  const document = decodeDocument(bytes, protocol, what);
  const signer = optionalText(document, "signer", what);
  return {
    request: requireBytes(document, "request", what),
    signature: requireBytes(document, "signature", what),
    caller: requireText(document, "caller", what),
    ...(signer === "" ? {} : { signer }),
  };
}
