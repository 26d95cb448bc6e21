import type { Connection } from "../connector/mod.ts";
import { type Clock, errorText, type Logger, TroubleLog } from "../std/mod.ts";
import { BoundedQueue } from "./_bounded_queue.ts";
import type { RoleCounts } from "./counts.ts";
import { type AdapterDocument, adapterDocument } from "./document.ts";
import type { Intake } from "./intake.ts";
import type { AdapterSettings } from "./settings.ts";

/** What {@link Ingest} works with. */
export interface IngestOptions {
  settings: AdapterSettings;
  connection: Pick<Connection, "subscribe" | "flush">;
  intake: Intake;
  /** Takes a document; false when there is no room for it. */
  deliver: (document: AdapterDocument) => boolean;
  /** Counts of each worker. */
  counts: readonly RoleCounts[];
  clock: Clock;
  logger: Logger;
}

interface Waiting {
  data: Uint8Array;
  /** When it arrived. */
  at: number;
}

/** Messages that may wait for each worker, and bytes of them all. */
const perWorker = 1_000;
const maxBytes = 64 * 1_024 * 1_024;

/**
 * The receiving end of an adapter: takes messages off a subject, believes those that hold, and hands on their
 * documents. What does not hold, or finds no room, is counted and dropped: whoever published it does not wait.
 */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #troubles: TroubleLog;
  readonly #waiting: BoundedQueue<Waiting>;
  /** Workers that have nothing to do. */
  readonly #idle: RoleCounts[];
  #subscription: { unsubscribe(): void } | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#troubles = new TroubleLog(options.logger, options.clock);
    this.#idle = [...options.counts].reverse();
    this.#waiting = new BoundedQueue({
      capacity: perWorker * options.settings.ingest.workers,
      maxBytes,
      sizeOf: ({ data }) => data.length,
    });
  }

  /** Begin to take messages in; resolves when the broker knows. */
  async start(): Promise<void> {
    const { settings, connection } = this.#options;
    const receive = ({ data }: { data: Uint8Array }) => this.#receive(data);
    this.#subscription = connection.subscribe(settings.ingest.topic, receive, `nats_ingest_${settings.name}`);
    await connection.flush();
  }

  /** Take no more; resolves when everything that was taken is handed on. */
  async stop(): Promise<void> {
    this.#subscription?.unsubscribe();
    if (this.#idle.length < this.#options.counts.length) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
  }

  #receive(data: Uint8Array): void {
    const worker = this.#idle.pop();
    const message = { data, at: performance.now() };
    if (worker !== undefined) void this.#work(worker, message);
    else if (!this.#waiting.push(message)) this.#full();
  }

  async #work(counts: RoleCounts, first: Waiting): Promise<void> {
    for (let message: Waiting | undefined = first; message !== undefined; message = this.#waiting.shift()) {
      counts.received++;
      counts.bytes += message.data.length;
      await this.#take(counts, message.data);
      counts.seconds += (performance.now() - message.at) / 1_000;
      counts.timed++;
    }
    this.#idle.push(counts);
    if (this.#idle.length === this.#options.counts.length) this.#whenIdle?.();
  }

  async #take(counts: RoleCounts, data: Uint8Array): Promise<void> {
    const { intake, settings, deliver } = this.#options;
    try {
      if (deliver(adapterDocument(await intake(data), settings.stream.topic))) return;
      this.#troubles.warn("queue", "Work queue is full, discarding message");
    } catch (error) {
      this.#troubles.warn("message", `Could not process message, discarding: ${errorText(error)}`);
    }
    counts.errors++;
  }

  #full(): void {
    const [counts] = this.#options.counts;
    if (counts !== undefined) {
      counts.received++;
      counts.errors++;
    }
    this.#troubles.warn("queue", "Work queue is full, discarding message");
  }
}
