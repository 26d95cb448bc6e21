import { encodeBase64 } from "../crypto/mod.ts";
import { encodeUtf8 } from "../std/mod.ts";
import { decodeDocument, optionalText, requireBytes } from "./decode.ts";

const protocol = "io.choria.protocol.v2.secure_reply";
const what = "SecureReply";

/** A reply with its digest and, from a server that has a key, a signature. */
export interface SecureReply {
  /** The reply exactly as it was signed. */
  reply: Uint8Array;
  /** SHA-256 of `reply`. */
  hash: Uint8Array;
  /** 64 bytes of ed25519 over `reply`. */
  signature?: Uint8Array;
  /** The server's token. */
  sender?: string;
}

/** Write a secure reply as `io.choria.protocol.v2.secure_reply`. */
export function encodeSecureReply(secure: SecureReply): Uint8Array {
  return encodeUtf8(
    JSON.stringify({
      protocol,
      reply: encodeBase64(secure.reply),
      hash: encodeBase64(secure.hash),
      signature: secure.signature === undefined ? undefined : encodeBase64(secure.signature),
      sender: secure.sender || undefined,
    }),
  );
}

/**
 * Read a secure reply.
 * @throws {ProtocolError} naming the field that is missing or of another form.
 */
export function decodeSecureReply(bytes: Uint8Array): SecureReply {
  const document = decodeDocument(bytes, protocol, what);
  const sender = optionalText(document, "sender", what);
  return {
    reply: requireBytes(document, "reply", what),
    hash: requireBytes(document, "hash", what),
    ...(document.signature === undefined ? {} : { signature: requireBytes(document, "signature", what) }),
    ...(sender === "" ? {} : { sender }),
  };
}
