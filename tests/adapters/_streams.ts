import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import type { Connection } from "../../lib/connector/mod.ts";
import { parseObject } from "../../lib/std/mod.ts";

/** Make a stream, as an operator does. */
export async function makeStream(
  { nats }: Connection,
  name: string,
  subject: string,
  more: { max_msg_size?: number } = {},
): Promise<void> {
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name, subjects: [subject], storage: StorageType.File, ...more });
}

/** How many messages a stream has. */
export async function messagesOf({ nats }: Connection, name: string): Promise<number> {
  const manager = await jetstreamManager(nats);
  return (await manager.streams.info(name)).state.messages;
}

/** A document as a stream has it. */
export interface Stored {
  subject: string;
  document: Record<string, unknown>;
}

/** Everything that a stream has, oldest first. */
export async function storedIn({ nats }: Connection, name: string): Promise<Stored[]> {
  const manager = await jetstreamManager(nats);
  const { first_seq, last_seq, messages } = (await manager.streams.info(name)).state;
  const found: Stored[] = [];
  for (let seq = first_seq; messages > 0 && seq <= last_seq; seq++) {
    const message = await manager.streams.getMessage(name, { seq });
    if (message !== null) found.push({ subject: message.subject, document: parseObject(message.data) });
  }
  return found;
}
