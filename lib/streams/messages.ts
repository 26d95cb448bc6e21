import type { JetStreamManager, SeqMsgRequest } from "@nats-io/jetstream";
import type { MsgHdrs } from "@nats-io/nats-core";

/** A message that a stream holds. */
export interface StoredMessage {
  subject: string;
  sequence: number;
  data: Uint8Array;
  /** Headers in the order of their arrival, a pair for each value. */
  headers: readonly (readonly [name: string, value: string])[];
  /** When it was stored, as the broker writes it: RFC 3339 with up to nine digits. */
  time: string;
}

/** Which message {@link readMessage} gives. */
export type MessageQuery =
  | { seq: number; next_by_subj?: string }
  | { last_by_subj: string }
  | { start_time: string; next_by_subj: string };

/**
 * A message of a stream; undefined where it holds none like that.
 * @throws the broker's refusal.
 */
export async function readMessage(
  manager: JetStreamManager,
  stream: string,
  query: MessageQuery,
): Promise<StoredMessage | undefined> {
  // The library's type knows fewer questions than JetStream answers.
  const found = await manager.streams.getMessage(stream, query as SeqMsgRequest);
  if (found === null) return undefined;
  const { subject, seq: sequence, data, timestamp: time } = found;
  return { subject, sequence, data, time, headers: pairs(found.header) };
}

function pairs(headers: MsgHdrs | undefined): [string, string][] {
  if (headers === undefined) return [];
  return [...headers].flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));
}
