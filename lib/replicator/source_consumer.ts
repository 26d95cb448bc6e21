import type { NatsConnection } from "@nats-io/nats-core";
import { type Clock, formatRfc3339, type JsonObject, type Logger, zeroTime } from "../std/mod.ts";
import { apiErrors, askApi, isApiError, numberOf, sectionOf } from "./_api.ts";
import type { EntrySettings } from "./config.ts";

/** Nanoseconds that a message may be with us before it counts as lost. */
const ackWait = 30_000_000_000;
/** So short that everything that is out counts as lost at once. */
const noAckWait = 1_000_000;
/** How long servers take to notice, in milliseconds. */
const noticed = 250;
/** How long they take to be done with a consumer that was deleted. */
const clearing = 1_000;

/** What a consumer says of itself before messages are asked for. */
export interface Preparation {
  /** Number of its latest delivery, which the next one follows. */
  delivered: number;
  /** How many messages are out: they come again before any other. */
  outstanding: number;
}

/** What {@link SourceConsumer} needs. */
export interface SourceConsumerOptions {
  nats: NatsConnection;
  entry: EntrySettings;
  clock: Clock;
  logger: Logger;
  /** Most messages that are out at a time. */
  window: number;
  onRecreated: () => void;
}

/**
 * The durable consumer of an entry: the place in the source up to which everything is copied. Its name, its settings and
 * how it is acknowledged are those of the original, so that either program takes over what the other left. Only the
 * number of messages that may be out is raised while we work, and put back to one when we stop.
 */
export class SourceConsumer {
  readonly name: string;
  readonly #options: SourceConsumerOptions;
  readonly #path: string;
  /** The settings as the server holds them. */
  #config: JsonObject = {};

  constructor(options: SourceConsumerOptions) {
    this.#options = options;
    this.name = consumerName(options.entry.name);
    this.#path = `${options.entry.stream}.${this.name}`;
  }

  /** How long a message may be with us, in milliseconds. */
  get ackWait(): number {
    return (numberOf(this.#config, "ack_wait") || ackWait) / 1e6;
  }

  /**
   * Have the consumer deliver next what follows the last message that was acknowledged, making it where it is missing.
   *
   * @param resume Sequence from which a lost consumer goes on; 0 before anything was done.
   * @throws {ApiError} when the server refuses; {@link Error} when it does not answer.
   */
  async prepare(resume: number): Promise<Preparation> {
    const { entry, logger, window, onRecreated, clock } = this.#options;
    let info = await this.#info();
    if (info !== undefined && entry.ephemeral && resume === 0) {
      await askApi(this.#options.nats, `CONSUMER.DELETE.${this.#path}`);
      info = undefined;
    }
    if (info === undefined) {
      // Servers still clear away files of a consumer that has just gone, and those of its successor with them.
      if (resume > 0) await clock.sleep(clearing);
      logger.error(`Consumer ${this.name} was not found, attempting to recreate`);
      info = await this.#create(consumerConfig(entry, this.name, resume, clock.now()));
      onRecreated();
      logger.info(`Source consumer ${this.name} recreated`);
    }
    this.#config = sectionOf(info, "config");
    if (numberOf(info, "num_ack_pending") > 0) await this.#recall(window);
    else await this.#allow(window);
    const after = (await this.#info()) ?? {};
    const delivered = numberOf(sectionOf(after, "delivered"), "consumer_seq");
    return { delivered, outstanding: numberOf(after, "num_ack_pending") };
  }

  /** Whether the consumer is there. */
  async exists(): Promise<boolean> {
    return (await this.#info()) !== undefined;
  }

  /** Leave the consumer as the original wants to find it. */
  async release(): Promise<void> {
    const info = await this.#info();
    if (info === undefined) return;
    this.#config = sectionOf(info, "config");
    if (numberOf(info, "num_ack_pending") > 0) await this.#recall(1);
    else await this.#allow(1);
  }

  async #info(): Promise<JsonObject | undefined> {
    try {
      return await askApi(this.#options.nats, `CONSUMER.INFO.${this.#path}`);
    } catch (error) {
      if (isApiError(error, apiErrors.consumerNotFound)) return undefined;
      throw error;
    }
  }

  async #allow(window: number): Promise<void> {
    if (numberOf(this.#config, "max_ack_pending") === window) return;
    await this.#create({ ...this.#config, max_ack_pending: window });
    this.#config = { ...this.#config, max_ack_pending: window };
  }

  /**
   * Have everything that is out delivered again, in its order and before anything new. Messages that somebody holds who
   * is gone, or that were lost on their way, would come after {@link ackWait}, when later ones have passed them; with
   * hardly any wait the server takes them all back at once.
   */
  async #recall(window: number): Promise<void> {
    const { clock, logger } = this.#options;
    const wait = numberOf(this.#config, "ack_wait") || ackWait;
    const config = { ...this.#config, max_ack_pending: window };
    const kept = wait > noAckWait ? wait : ackWait;
    try {
      await this.#create({ ...config, ack_wait: noAckWait });
      await clock.sleep(noticed);
    } finally {
      await this.#create({ ...config, ack_wait: kept });
    }
    this.#config = { ...config, ack_wait: kept };
    logger.debug("Messages that were out are delivered again", { consumer: this.name });
  }

  async #create(config: JsonObject): Promise<JsonObject> {
    const { nats, entry } = this.#options;
    const filter = typeof config.filter_subject === "string" ? `.${config.filter_subject}` : "";
    const request = { stream_name: entry.stream, config, action: "" };
    return await askApi(nats, `CONSUMER.CREATE.${this.#path}${filter}`, request);
  }
}

/**
 * The name of an entry's consumer: `SR_` and the entry's name. Entries named `S`, `SR` or `SR_` go without, as they
 * always did.
 */
export function consumerName(entry: string): string {
  return "SR_".startsWith(entry) ? entry : `SR_${entry}`;
}

/** The settings of a consumer that is made. */
export function consumerConfig(entry: EntrySettings, name: string, resume: number, now: number): JsonObject {
  return {
    description: `Choria Stream Replicator ${entry.name}`,
    ack_policy: "explicit",
    ack_wait: ackWait,
    ...startOf(entry, resume, now),
    durable_name: name,
    name,
    ...(entry.filterSubject === "" ? {} : { filter_subject: entry.filterSubject }),
    max_ack_pending: 1,
    replay_policy: "instant",
    num_replicas: entry.ephemeral ? 1 : 0,
    ...(entry.ephemeral ? { mem_storage: true, inactive_threshold: 50_000_000_000 } : {}),
    pause_until: zeroTime,
  };
}

/** Where a consumer begins. */
export function startOf(entry: EntrySettings, resume: number, now: number): JsonObject {
  if (resume > 0) return { deliver_policy: "by_start_sequence", opt_start_seq: resume };
  if (entry.startAtEnd) return { deliver_policy: "new" };
  if (entry.startSequence > 0) return { deliver_policy: "by_start_sequence", opt_start_seq: entry.startSequence };
  if (entry.startDelta > 0) return fromTime(now - entry.startDelta);
  if (entry.startTime !== undefined) return fromTime(entry.startTime);
  return { deliver_policy: "all" };
}

function fromTime(ms: number): JsonObject {
  const fraction = String(((ms % 1_000) + 1_000) % 1_000).padStart(3, "0");
  return { deliver_policy: "by_start_time", opt_start_time: formatRfc3339(ms).replace("Z", `.${fraction}Z`) };
}
