import { headers, type Msg, type MsgHdrs } from "@nats-io/nats-core";
import { errorText } from "../std/mod.ts";
import type { EntrySettings } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import { formatOrigin, originHeader } from "./origin.ts";
import { mapSubject } from "./subject.ts";
import type { Passenger } from "./target_writer.ts";

/** Headers of the server that change nothing about whether a message is stored. */
const harmless = new Set(["Nats-Msg-Id"]);

/**
 * Begins headers of messages that were published together. They stay in the stored message, but said again they would
 * have the target wait for the rest of the batch, or refuse what it has already been told is one.
 */
const ofBatches = "Nats-Batch-";

/**
 * The copy of a message: the same but for its subject, and with one more header that says where it comes from. Messages
 * of a batch are copied as others are.
 */
export function copyOf(
  message: Msg,
  delivery: Delivery,
  entry: EntrySettings,
  replicator: string,
): NonNullable<Passenger["copy"]> {
  const origin = originOf(delivery, entry, replicator);
  const subject = mapSubject(message.subject, entry);
  const { data } = message;
  try {
    const found = message.headers;
    if (found === undefined) return { subject, data, headers: withOrigin(origin), isDelicate: false };
    const names = found.keys().filter((name) => !name.startsWith(ofBatches));
    const isDelicate = names.some((name) => name.startsWith("Nats-") && !harmless.has(name));
    return { subject, data, headers: sortedHeaders(found, names, origin), isDelicate };
  } catch (error) {
    const problem = `the headers cannot be read: ${errorText(error)}`;
    return { subject, data, headers: withOrigin(origin), isDelicate: true, problem };
  }
}

/** The header's value for a message. */
export function originOf({ sequence, time }: Delivery, entry: EntrySettings, replicator: string): string {
  return formatOrigin({ stream: entry.stream, sequence, replicator, entry: entry.name, time });
}

/** Headers that hold the origin alone. */
export function withOrigin(origin: string): MsgHdrs {
  const header = headers();
  header.append(originHeader, origin);
  return header;
}

/** The same order as the original's, so that copies are equal byte for byte. */
function sortedHeaders(found: MsgHdrs, names: string[], origin: string): MsgHdrs {
  const sorted = headers();
  for (const name of [...new Set([...names, originHeader])].sort()) {
    for (const value of found.values(name)) sorted.append(name, value);
    if (name === originHeader) sorted.append(name, origin);
  }
  return sorted;
}
