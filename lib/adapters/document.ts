import { encodeUtf8, formatRfc3339Nanos, goJson } from "../std/mod.ts";
import type { TakenIn } from "./intake.ts";

/** A document on its way to a stream. */
export interface AdapterDocument {
  subject: string;
  /** By which streams know a document that they have already: `Nats-Msg-Id`. */
  id: string;
  /** `choria:adapters:choria_streams:output:1` as JSON. */
  data: Uint8Array;
}

const protocol = "choria:adapters:choria_streams:output:1";

/** Bytes that are no UTF-8 become U+FFFD: the document holds text. */
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The document of a message (`choria:adapters:choria_streams:output:1`).
 *
 * @param topic Its subject; each `%s` stands for the sender.
 * @throws {TypeError} when the sender cannot be part of a subject.
 */
export function adapterDocument(message: TakenIn, topic: string): AdapterDocument {
  const { sender, requestId, time, body } = message;
  const subject = topic.replaceAll("%s", () => sender);
  if (!isSubject(subject)) throw new TypeError(`The sender "${sender.slice(0, 80)}" cannot be part of a subject`);
  const document = {
    protocol,
    data: lenient.decode(body),
    sender,
    time: formatRfc3339Nanos(time),
    requestid: requestId,
  };
  return { subject, id: `${requestId}.${sender}`, data: encodeUtf8(goJson(document)) };
}

/** Whether a text is a subject to publish to: parts of printable characters, joined by dots, without wildcards. */
export function isSubject(text: string): boolean {
  return text.length <= 1_024 && /^[^\s.*>\p{C}]+(\.[^\s.*>\p{C}]+)*$/u.test(text);
}
