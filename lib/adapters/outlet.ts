import { createInbox, headers, type Msg } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { type Clock, errorText, isObject, type Logger, parseObject, TroubleLog } from "../std/mod.ts";
import { BoundedQueue } from "./_bounded_queue.ts";
import type { RoleCounts } from "./counts.ts";
import type { AdapterDocument } from "./document.ts";

/** What {@link Outlet} works with. */
export interface OutletOptions {
  connection: Pick<Connection, "subscribe" | "publish" | "server">;
  /** Prefix of inboxes, for acknowledgements. */
  inboxPrefix: string;
  /** Most documents that wait for their turn. */
  queueLength: number;
  /** Counts of each worker. */
  counts: readonly RoleCounts[];
  clock: Clock;
  logger: Logger;
}

/** A document that was published, or is to be, and that no stream has acknowledged. */
interface Pending {
  slot: number;
  document: AdapterDocument;
  counts: RoleCounts;
  taken: number;
  /** When it was first published; 0 for not yet. */
  since: number;
  tries: number;
  /** When it is published again unless it is acknowledged. */
  due: number;
}

/** Documents on their way for each worker. */
const windowOfWorker = 100;
const maxBytes = 64 * 1_024 * 1_024;
/** How long a stream may take, and how often the others are looked at, in milliseconds. */
const ackTimeout = 5_000;
const sweepPause = 250;
/** Streams know duplicates for two minutes: nothing is published again after that. */
const longestTry = 110_000;

/**
 * The giving end of an adapter: publishes documents to streams and keeps each until a stream has it. While none does,
 * documents wait in a queue; when that is full no more are taken. A document that went out twice is stored once, as
 * it carries its id.
 */
export class Outlet {
  readonly #options: OutletOptions;
  readonly #troubles: TroubleLog;
  readonly #queue: BoundedQueue<AdapterDocument>;
  readonly #pending = new Map<number, Pending>();
  readonly #window: number;
  readonly #inbox: string;
  readonly #subscription: { unsubscribe(): void };
  #next = 0;
  #sweeping: Disposable | undefined;
  #whenEmpty: (() => void) | undefined;

  constructor(options: OutletOptions) {
    const { connection, counts, logger, clock, queueLength, inboxPrefix } = options;
    this.#options = options;
    this.#troubles = new TroubleLog(logger, clock);
    this.#window = windowOfWorker * counts.length;
    this.#queue = new BoundedQueue({ capacity: queueLength, maxBytes, sizeOf: ({ data }) => data.length });
    this.#inbox = createInbox(inboxPrefix);
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, (message) => this.#answered(message));
  }

  /** How many documents wait, and may wait. */
  get queue(): { length: number; capacity: number } {
    return { length: this.#queue.length, capacity: this.#queue.capacity };
  }

  /** Take a document; false when there is no room for it. */
  deliver(document: AdapterDocument): boolean {
    if (this.#pending.size < this.#window) {
      this.#begin(document);
      return true;
    }
    return this.#queue.push(document);
  }

  /** The broker is back: what was on its way may be lost, and what waited for it is to be sent. */
  resume(): void {
    for (const pending of this.#pending.values()) pending.due = 0;
    this.#sweep();
  }

  /** Resolves when everything is published, or `grace` milliseconds are over; then nothing is published any more. */
  async stop(grace: number): Promise<void> {
    const { clock, logger } = this.#options;
    const waiting = new AbortController();
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
      this.#checkEmpty();
    });
    await Promise.race([empty, clock.sleep(grace, waiting.signal)]);
    waiting.abort();
    const lost = this.#pending.size + this.#queue.length;
    if (lost > 0) logger.warn("Documents that no stream has taken are lost", { count: lost });
    this.#sweeping?.[Symbol.dispose]();
    this.#pending.clear();
    this.#subscription.unsubscribe();
  }

  #begin(document: AdapterDocument): void {
    const slot = this.#next++;
    const counts = this.#options.counts[slot % this.#options.counts.length];
    if (counts === undefined) return;
    counts.received++;
    counts.bytes += document.data.length;
    const pending = { slot, document, counts, taken: performance.now(), since: 0, tries: 0, due: 0 };
    this.#pending.set(slot, pending);
    this.#sweeping ??= this.#options.clock.every(sweepPause, () => this.#sweep());
    this.#publish(pending);
  }

  #publish(pending: Pending): void {
    const { connection, clock } = this.#options;
    // Without a broker nothing is tried; it is our turn again when it is back.
    if (connection.server === "") {
      pending.due = clock.now() + ackTimeout;
      return;
    }
    const { subject, id, data } = pending.document;
    const now = clock.now();
    if (pending.since === 0) pending.since = now;
    pending.tries++;
    pending.due = now + ackTimeout;
    try {
      const marks = headers();
      marks.set("Nats-Msg-Id", id);
      connection.publish(subject, data, { reply: `${this.#inbox}.${pending.slot}`, headers: marks });
    } catch (error) {
      // At once it would call itself for each document that waits, as each makes room for the next.
      queueMicrotask(() => this.#pending.has(pending.slot) && this.#giveUp(pending, errorText(error)));
    }
  }

  #answered(message: Msg): void {
    const pending = this.#pending.get(Number(message.subject.slice(this.#inbox.length + 1)));
    if (pending === undefined) return;
    const refusal = refusalOf(message);
    if (refusal === undefined) {
      pending.counts.published++;
      this.#end(pending);
    } else if (refusal.isFinal) this.#giveUp(pending, refusal.reason);
    else this.#postpone(pending, refusal.reason);
  }

  #postpone(pending: Pending, reason: string): void {
    const { clock } = this.#options;
    const { subject } = pending.document;
    this.#troubles.warn("stream", `Could not publish message to Choria Streams ${subject} yet: ${reason}`);
    pending.due = clock.now() + Math.min(2_000, 100 * 2 ** pending.tries);
  }

  #giveUp(pending: Pending, reason: string): void {
    const { subject } = pending.document;
    pending.counts.errors++;
    this.#troubles.warn("lost", `Could not publish message to Choria Streams ${subject}, discarding: ${reason}`);
    this.#end(pending);
  }

  #end(pending: Pending): void {
    pending.counts.seconds += (performance.now() - pending.taken) / 1_000;
    pending.counts.timed++;
    this.#pending.delete(pending.slot);
    const next = this.#queue.shift();
    if (next !== undefined) this.#begin(next);
    else this.#checkEmpty();
  }

  #sweep(): void {
    const now = this.#options.clock.now();
    for (const pending of [...this.#pending.values()]) {
      if (pending.due > now) continue;
      if (pending.since > 0 && now - pending.since > longestTry) this.#giveUp(pending, "no stream has taken it");
      else this.#publish(pending);
    }
  }

  #checkEmpty(): void {
    if (this.#pending.size > 0) return;
    this.#sweeping?.[Symbol.dispose]();
    this.#sweeping = undefined;
    this.#whenEmpty?.();
  }
}

interface Refusal {
  reason: string;
  /** Trying again would change nothing. */
  isFinal: boolean;
}

/** Why a stream did not take a document; undefined when it did. */
function refusalOf({ data, headers: marks }: Msg): Refusal | undefined {
  if (data.length === 0 && marks?.code === 503) return { reason: "no stream listens there", isFinal: false };
  try {
    const { stream, error } = parseObject(data);
    if (isObject(error)) {
      return { reason: String(error.description ?? error.code), isFinal: error.code !== 503 && error.code !== 409 };
    }
    if (typeof stream === "string") return undefined;
  } catch {
    // Somebody else answered; the stream may still do.
  }
  return { reason: "what answers is no stream", isFinal: false };
}
