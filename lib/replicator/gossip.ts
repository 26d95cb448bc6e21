import type { Subscription } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { encodeUtf8, parseObject } from "../std/mod.ts";
import { decodeItem, encodeItem, type TrackedItem, type Tracker } from "./tracker.ts";

/** What {@link Gossip} needs. */
export interface GossipOptions {
  connection: Connection;
  stream: string;
  /** Entry name. */
  entry: string;
  tracker: Tracker;
  /** Present time, in Unix milliseconds. */
  now: () => number;
}

/** Longest message from others that is read. */
const maxBytes = 4_096;

/** The subject on which replicators tell each other of values; `>` in place of both names hears all. */
export function gossipSubject(stream: string, entry: string): string {
  return `choria.stream-replicator.sync.${stream}.${entry}`;
}

/**
 * Tells the other replicators of a stream which values were seen, and believes what they tell, so that whoever takes
 * over knows what was copied.
 */
export class Gossip {
  readonly #options: GossipOptions;
  readonly #subject: string;
  readonly #heard: Subscription;

  constructor(options: GossipOptions) {
    this.#options = options;
    this.#subject = gossipSubject(options.stream, options.entry);
    this.#heard = options.connection.subscribe(this.#subject, ({ data }) => this.#hear(data));
  }

  /** Tell of a value as it is now. */
  tell(value: string, item: Readonly<TrackedItem>): void {
    const { connection } = this.#options;
    // Who is not connected has nobody to tell; the next message of the value says the same.
    if (connection.server === "") return;
    connection.publish(this.#subject, encodeUtf8(JSON.stringify(encodeItem(item, value))));
  }

  /** Listen no more. */
  stop(): void {
    if (!this.#options.connection.nats.isClosed()) this.#heard.unsubscribe();
  }

  #hear(data: Uint8Array): void {
    if (data.length > maxBytes) return;
    let message: Record<string, unknown>;
    try {
      message = parseObject(data);
    } catch {
      return;
    }
    const item = decodeItem(message);
    const { value } = message;
    if (item === undefined || typeof value !== "string" || value === "") return;
    // A clock that is ahead would keep a value for ever.
    const now = this.#options.now();
    this.#options.tracker.learn(value, {
      ...item,
      seen: Math.min(item.seen, now),
      copied: Math.min(item.copied, now),
    });
  }
}
