import { headers, type MsgHdrs } from "@nats-io/nats-core";
import type { Credentials } from "../security/mod.ts";
import type { SpooledMessage } from "./message.ts";

/** Who signs what is to be signed. */
export type SubmissionSigner = () => Pick<Credentials, "token" | "key">;

/**
 * The headers with which a message is published: its own, its id by which streams tell duplicates, what is known of it,
 * and, where it is to be signed, the server's token and its signature over exactly the payload.
 *
 * @throws what the signer throws.
 */
export function messageHeaders(message: SpooledMessage, signer: SubmissionSigner): MsgHdrs {
  const found = headers();
  for (const [name, value] of Object.entries(message.headers)) found.append(name, value);
  found.append("Nats-Msg-Id", message.id);
  found.append("Choria-Priority", String(message.priority));
  found.append("Choria-Created", String(message.created));
  found.append("Choria-Sender", message.sender);
  if (message.reliable) found.append("Choria-Reliable", "1");
  if (message.tries > 0) found.append("Choria-Tries", String(message.tries));
  if (message.identity !== "") found.append("Choria-Identity", message.identity);
  if (message.sign) {
    const { token, key } = signer();
    found.append("Choria-Token", token);
    found.append("Choria-Signature", key.sign(message.payload).toHex());
  }
  return found;
}
