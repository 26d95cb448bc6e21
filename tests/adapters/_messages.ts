import { generateKey } from "../../lib/crypto/mod.ts";
import {
  emptyFilter,
  encodeReply,
  encodeRequest,
  encodeSecureReply,
  encodeSecureRequest,
  encodeTransport,
  newRequest,
  type Request,
  type SecureRequest,
} from "../../lib/protocol/mod.ts";
import { registrationMessage } from "../../lib/registration/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import type { Member } from "../support/organization.ts";

export const hello = encodeUtf8('{"hello":"world"}');

/** A key that nobody vouches for. */
export const strangerKey = generateKey();

/** A server's registration, as servers send it, signed by whatever is handed in. */
export function registration(
  identity: string,
  secure: (request: Uint8Array) => SecureRequest,
  { body = hello, now = Date.now() }: { body?: Uint8Array; now?: number } = {},
): Uint8Array {
  const sender = { identity, collective: "choria", server: "nats://broker:4222", secure };
  return registrationMessage(body, "", sender, now).data;
}

/** Signed by a member of the organization. */
export function signedBy({ key, token }: Member): (request: Uint8Array) => SecureRequest {
  return (request) => ({ request, signature: key.sign(request), caller: token });
}

/** Any request, signed by a member. */
export function request(
  member: Member,
  fields: Partial<Request> & { sender: string; caller: string },
  replyTo = "dev.null",
): Uint8Array {
  const made = newRequest({
    message: hello,
    collective: "choria",
    agent: "registration",
    ttl: 60,
    filter: emptyFilter(),
    ...fields,
  });
  const bytes = encodeRequest({ ...made, ...fields });
  const secure = encodeSecureRequest(signedBy(member)(bytes));
  return encodeTransport({ data: secure, sender: fields.sender, reply: replyTo });
}

/** A reply of a server. */
export function reply(
  member: Member,
  { sender, id, time, isSigned = true }: { sender: string; id: string; time: bigint; isSigned?: boolean },
): Uint8Array {
  const bytes = encodeReply({ message: hello, request: id, sender, agent: "rpcutil", time });
  const hash = new Uint8Array(new Bun.CryptoHasher("sha256").update(bytes).digest());
  const proof = isSigned ? { signature: member.key.sign(bytes), sender: member.token } : {};
  return encodeTransport({ data: encodeSecureReply({ reply: bytes, hash, ...proof }), sender });
}
