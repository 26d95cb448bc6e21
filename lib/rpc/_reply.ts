import {
  encodeReply,
  encodeSecureReply,
  encodeTransport,
  type Request,
  type Transport,
  withHop,
} from "../protocol/mod.ts";
import { type Credentials, signReply } from "../security/mod.ts";

/** Who replies, and from where. */
export interface ReplyOptions {
  identity: string;
  /** The broker's address, for the trace. */
  server: string;
  /** Absent where replies are not signed. */
  credentials?: Pick<Credentials, "token" | "key"> | undefined;
  now: number;
}

/** Wrap an agent's answer in all the layers that travel. Federated requests keep their headers on the way back. */
export function wrapReply(payload: Uint8Array, request: Request, sent: Transport, options: ReplyOptions): Uint8Array {
  const { identity, server, now } = options;
  const time = BigInt(Math.floor(now * 1e3)) * 1_000n;
  const reply = encodeReply({ message: payload, request: request.id, sender: identity, agent: request.agent, time });
  const { federation, trace = [] } = sent;
  const transport: Transport = {
    data: encodeSecureReply(signReply(reply, options.credentials)),
    sender: identity,
    ...(federation === undefined ? {} : { federation, trace }),
  };
  return encodeTransport(withHop(transport, [server, identity, server]));
}
