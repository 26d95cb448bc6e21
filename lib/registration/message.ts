import {
  emptyFilter,
  encodeRequest,
  encodeSecureRequest,
  encodeTransport,
  newRequest,
  type SecureRequest,
  subjects,
  withHop,
} from "../protocol/mod.ts";

/** Who registers, and where. */
export interface RegistrationSender {
  identity: string;
  collective: string;
  /** The broker's address, for the trace. */
  server: string;
  /** Puts the node's name under a request. */
  secure: (request: Uint8Array) => SecureRequest;
}

/** What is published. */
export interface RegistrationMessage {
  subject: string;
  data: Uint8Array;
}

const agent = "registration";
/** Nobody answers registrations, but a request has to say where to. */
const nowhere = "dev.null";
const ttl = 60;

/**
 * Wrap registration data into a request to the agent `registration`, in all the layers that travel.
 *
 * @param target Subject to publish to; that of the agent when it is empty.
 * @param now Milliseconds since the epoch.
 */
export function registrationMessage(
  message: Uint8Array,
  target: string,
  { identity, collective, server, secure }: RegistrationSender,
  now: number,
): RegistrationMessage {
  const names = { sender: identity, caller: identity, collective, agent };
  const request = encodeRequest(newRequest({ message, ...names, ttl, filter: emptyFilter() }, now));
  const transport = { data: encodeSecureRequest(secure(request)), sender: identity, reply: nowhere };
  return {
    subject: target || subjects.broadcast(collective, agent),
    data: encodeTransport(withHop(transport, [server, identity, server])),
  };
}
