import { encodeBase64 } from "../crypto/mod.ts";
import { encodeUtf8, isObject, isStringList, type JsonObject } from "../std/mod.ts";
import { decodeDocument, optionalText, requireBytes } from "./decode.ts";
import { ProtocolError } from "./error.ts";

const protocol = "io.choria.protocol.v2.transport";
const what = "transport message";

/** One station of a message: who handed it in, who processed it, where it went out. */
export type Hop = readonly [received: string, processor: string, sent: string];

/** How a message found its way between federated networks. */
export interface Federation {
  /** Id of the request. */
  request?: string;
  /** Subject of the reply in the network of the request. */
  reply?: string;
  /** Subjects that the request is for. */
  targets?: string[];
}

/** The outermost document: what travels over NATS. */
export interface Transport {
  /** A secure request or secure reply, as bytes. */
  data: Uint8Array;
  /** Identity of the process that sent it. */
  sender: string;
  /** Subject for replies; requests only. */
  reply?: string;
  trace?: Hop[];
  federation?: Federation;
}

/** Write a transport message as `io.choria.protocol.v2.transport`. */
export function encodeTransport(transport: Transport): Uint8Array {
  const { reply, sender, trace, federation } = transport;
  return encodeUtf8(
    JSON.stringify({
      protocol,
      data: encodeBase64(transport.data),
      headers: { reply: reply || undefined, sender: sender || undefined, trace, federation },
    }),
  );
}

/**
 * Read a transport message. Headers may be missing.
 * @throws {ProtocolError} when it is something else.
 */
export function decodeTransport(bytes: Uint8Array): Transport {
  const document = decodeDocument(bytes, protocol, what);
  const headers = document.headers ?? {};
  if (!isObject(headers)) throw new ProtocolError("Cannot read the transport message: /headers: expected an object");
  const reply = optionalText(headers, "reply", what);
  const federation = decodeFederation(headers.federation);
  const trace = decodeTrace(headers.trace);
  return {
    data: requireBytes(document, "data", what),
    sender: optionalText(headers, "sender", what),
    ...(reply === "" ? {} : { reply }),
    ...(trace === undefined ? {} : { trace }),
    ...(federation === undefined ? {} : { federation }),
  };
}

/** The message with one more station on its way; the original is left as it was. */
export function withHop(transport: Transport, hop: Hop): Transport {
  return { ...transport, trace: [...(transport.trace ?? []), hop] };
}

/** Nobody acts on the trace, so stations of another form are left out rather than refused. */
function decodeTrace(value: unknown): Hop[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((hop): hop is [string, string, string] => isStringList(hop) && hop.length === 3);
}

function decodeFederation(value: unknown): Federation | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw bad("expected an object");
  const request = optionalFederationText(value, "request");
  const reply = optionalFederationText(value, "reply");
  const { targets } = value;
  if (targets !== undefined && !isStringList(targets)) throw bad("/targets: expected strings");
  return {
    ...(request === undefined ? {} : { request }),
    ...(reply === undefined ? {} : { reply }),
    ...(targets === undefined ? {} : { targets }),
  };
}

function optionalFederationText(value: JsonObject, key: string): string | undefined {
  const text = value[key];
  if (text === undefined || typeof text === "string") return text;
  throw bad(`/${key}: expected a string`);
}

function bad(reason: string): ProtocolError {
  return new ProtocolError(`Cannot read the transport message: /headers/federation: ${reason}`);
}
