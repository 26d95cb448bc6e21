import type { Connection } from "../connector/mod.ts";
import { type Clock, errorText, formatDuration, type Logger } from "../std/mod.ts";
import { Advisor } from "./advisor.ts";
import type { EntrySettings } from "./config.ts";
import { Gossip } from "./gossip.ts";
import { type InspectedMessage, inspect } from "./inspect.ts";
import type { ReplicatorMetrics } from "./metrics.ts";
import { loadState, saveState, stateFile } from "./state_file.ts";
import { Tracker, type TrackerNews } from "./tracker.ts";

/** What {@link Limiter} needs. */
export interface LimiterOptions {
  entry: EntrySettings;
  replicator: string;
  /** Label of its metrics. */
  consumer: string;
  /** Folder of the state file; empty for none. */
  stateStore: string;
  /** Connection for advisories and gossip; used where the entry has an advisory. */
  connection: Connection | undefined;
  metrics: ReplicatorMetrics;
  clock: Clock;
  logger: Logger;
  /** Whether another replicator leads. */
  isPaused: () => boolean;
  /** Gives numbers from 0 up to 1; for tests. */
  random?: () => number;
}

/** What the limiter says of a message. */
export interface Verdict {
  isDue: boolean;
  /** The value it was limited by; empty for none. */
  value: string;
}

const maintenance = 10_000;

/**
 * Lets through the first message of every value and then one per interval, those whose size has changed and those that
 * carry the force field. What has no value is always let through.
 */
export class Limiter {
  readonly #options: LimiterOptions;
  readonly #tracker: Tracker;
  readonly #file: string;
  readonly #advisor: Advisor | undefined;
  readonly #gossip: Gossip | undefined;
  readonly #timer: Disposable;
  readonly #withoutValue: () => void;
  readonly #forced: () => void;
  #isStopped = false;

  constructor(options: LimiterOptions) {
    this.#options = options;
    const { entry, replicator, consumer, stateStore, connection, metrics, clock, logger, isPaused, random } = options;
    const { inspectDuration: interval, warnDuration: warn, sizeTrigger } = entry;
    this.#tracker = new Tracker({ interval, warn, sizeTrigger }, random);
    this.#file = stateStore === "" ? "" : stateFile(stateStore, entry.stream, entry.name);
    this.#load();
    const labels = { limiter: "memory", stream: consumer, replicator };
    this.#withoutValue = metrics.counter("limiter_messages_without_limit_field_count", labels);
    this.#forced = metrics.counter("limiter_messages_copy_forced_count", labels);
    logger.info("Memory based limiter started", {
      limiter: "memory",
      duration: formatDuration(interval),
      field: entry.inspectField,
      ...(entry.inspectForceField === "" ? {} : { force_field: entry.inspectForceField }),
    });
    if (connection !== undefined && entry.advisory !== undefined) {
      const { stream, name, advisory: settings, inspectField } = entry;
      const fields = { advisor: replicator, stream, reliable: settings.reliable };
      const shared = { connection, metrics, clock, logger: logger.child(fields), isPaused };
      this.#advisor = new Advisor({ ...shared, settings, inspectField, stream, replicator });
      this.#gossip = new Gossip({ connection, stream, entry: name, tracker: this.#tracker, now: () => clock.now() });
    }
    this.#timer = clock.every(maintenance, () => this.#maintain());
  }

  /** Look at a message. Whatever is let through is to be followed by {@link Limiter.copied} or {@link Limiter.refused}. */
  look(message: InspectedMessage): Verdict {
    const { value, isForced } = inspect(message, this.#options.entry);
    if (isForced) this.#forced();
    if (value === "") {
      if (!isForced) this.#withoutValue();
      return { isDue: true, value };
    }
    const now = this.#options.clock.now();
    const size = message.data.length;
    const isDue = isForced || this.#tracker.isDue(value, size, now);
    this.#tell(this.#tracker.see(value, size, now));
    this.#tellPeers(value);
    if (isDue) this.#tracker.underway(value, now);
    return { isDue, value };
  }

  /** The target has the message of a value. */
  copied(value: string): void {
    if (value === "") return;
    this.#tracker.copied(value, this.#options.clock.now());
    // Whoever takes over now would copy the value once more otherwise.
    this.#tellPeers(value);
  }

  /** The message of a value does not come to the target. */
  refused(value: string): void {
    this.#tracker.notCopied(value);
  }

  /** Save the table and stop. Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#timer[Symbol.dispose]();
    this.#maintain();
    this.#gossip?.stop();
    await this.#advisor?.stop();
  }

  #load(): void {
    const { clock, logger, entry } = this.#options;
    if (this.#file === "") {
      logger.warn("Tracker state tracking not configured", {
        interval: formatDuration(entry.inspectDuration),
        warn: formatDuration(entry.warnDuration),
        state: "",
      });
      return;
    }
    try {
      loadState(this.#tracker, this.#file, clock.now());
    } catch (error) {
      logger.warn(`State loading failed, starting without state: ${errorText(error)}`, { state: this.#file });
    }
  }

  #maintain(): void {
    const { clock, logger, metrics, entry, replicator } = this.#options;
    for (const news of this.#tracker.scrub(clock.now())) this.#tell(news);
    const labels = { stream: entry.stream, replicator, worker: entry.name };
    metrics.gauge("tracker_total_items", labels)(this.#tracker.size);
    if (this.#gossip !== undefined) metrics.gauge("tracker_seen_by_gossip", labels)(this.#tracker.foreign);
    if (this.#file === "") return;
    try {
      saveState(this.#tracker, this.#file);
    } catch (error) {
      logger.error(`Could not save state: ${errorText(error)}`, { state: this.#file });
    }
  }

  #tellPeers(value: string): void {
    const item = this.#tracker.get(value);
    if (item !== undefined) this.#gossip?.tell(value, item);
  }

  #tell(news: TrackerNews | undefined): void {
    if (news !== undefined) this.#advisor?.tell(news);
  }
}
