import { type ConsumerMessages, DeliverPolicy, jetstream } from "@nats-io/jetstream";
import type { Connection } from "../connector/mod.ts";
import { errorText } from "../std/mod.ts";
import { decodeScoutEvent, type ScoutEvent, scoutSubjects } from "./event.ts";

/** Longest history that can be asked for, in milliseconds. */
export const longestHistory = 3_600_000;

/** How {@link followScout} follows. */
export interface FeedOptions {
  /**
   * Begin with what was published this long ago, in milliseconds; needs a token that may read streams.
   * @default 0
   */
  history?: number;
  /**
   * Told of every event.
   *
   * @param seenAt When it was published, milliseconds since the epoch, by this host's or the broker's clock.
   * @param document The event as it was sent.
   */
  onEvent(event: ScoutEvent, seenAt: number, document: Uint8Array): void;
  /** Told of documents that are no events. */
  onDamaged?(): void;
  /** The present, milliseconds since the epoch. */
  now(): number;
}

/** Something that goes on until it is stopped. */
export interface Feed {
  /** Rejects when no more events can come; never resolves. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
}

const stream = "CHORIA_MACHINE";

/**
 * Follow the checks and machines of the network.
 *
 * @throws {Error} when history is asked for and the stream that holds it cannot be read.
 */
export async function followScout(connection: Connection, options: FeedOptions): Promise<Feed> {
  const { history = 0 } = options;
  return history > 0 ? followStream(connection, history, options) : followLive(connection, options);
}

function followLive(connection: Connection, options: FeedOptions): Feed {
  const subscriptions = scoutSubjects.map((subject) =>
    connection.subscribe(subject, ({ data }) => take(data, options.now(), options)),
  );
  return {
    broken: new Promise<never>(() => undefined),
    stop: async () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

async function followStream(connection: Connection, history: number, options: FeedOptions): Promise<Feed> {
  const consumer = await jetstream(connection.nats)
    .consumers.get(stream, {
      filter_subjects: [...scoutSubjects],
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: new Date(options.now() - Math.min(history, longestHistory)).toISOString(),
    })
    .catch((error) => {
      const text = `Cannot read the history of checks from the stream ${stream}, which takes a token that may read streams`;
      throw new Error(`${text}: ${errorText(error)}`, { cause: error });
    });
  const messages = await consumer.consume({ max_messages: 200 });
  const broken = deliver(messages, options);
  return {
    broken,
    stop: async () => {
      broken.catch(() => undefined);
      await messages.close();
    },
  };
}

async function deliver(messages: ConsumerMessages, options: FeedOptions): Promise<never> {
  for await (const message of messages) take(message.data, message.time.getTime(), options);
  throw new Error(`No more events come from the stream ${stream}`);
}

function take(data: Uint8Array, seenAt: number, options: FeedOptions): void {
  let event: ScoutEvent;
  try {
    event = decodeScoutEvent(data);
  } catch {
    options.onDamaged?.();
    return;
  }
  options.onEvent(event, seenAt, data);
}
