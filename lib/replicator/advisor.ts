import { headers } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import {
  backoff,
  type Clock,
  encodeUtf8,
  fiveSecondSteps,
  isObject,
  type Logger,
  newKsuid,
  parseObject,
  TroubleLog,
} from "../std/mod.ts";
import { natsErrorText } from "./_api.ts";
import type { AdvisorySettings } from "./config.ts";
import type { ReplicatorMetrics } from "./metrics.ts";
import type { TrackerNews } from "./tracker.ts";

/** News of a value, `io.choria.sr.v2.age_advisory`. Times are Unix seconds. */
export interface Advisory {
  protocol: "io.choria.sr.v2.age_advisory";
  event_id: string;
  inspect_field: string;
  /** Seconds since the value was seen before; -1 where it never was. */
  age: number;
  seen: number;
  replicator: string;
  timestamp: number;
  event: TrackerNews["event"];
  value: string;
}

/** What {@link Advisor} needs. */
export interface AdvisorOptions {
  connection: Connection;
  settings: AdvisorySettings;
  inspectField: string;
  stream: string;
  replicator: string;
  metrics: ReplicatorMetrics;
  clock: Clock;
  logger: Logger;
  /** Whether another replicator is the one that speaks. */
  isPaused: () => boolean;
}

const maxQueue = 1_000;
const maxTries = 10;

/** Publishes advisories, one after another. */
export class Advisor {
  readonly #options: AdvisorOptions;
  readonly #queue: Advisory[] = [];
  readonly #stopping = new AbortController();
  readonly #troubles: TroubleLog;
  #work: Promise<void> | undefined;

  constructor(options: AdvisorOptions) {
    this.#options = options;
    const { subject } = options.settings;
    this.#troubles = new TroubleLog(options.logger, options.clock);
    options.logger.info(`Advisory starting publishing to ${subject}`);
  }

  /** Publish news in its turn. While another replicator leads there is nothing to say. */
  tell(news: TrackerNews): void {
    const { isPaused, inspectField, replicator, clock } = this.#options;
    if (isPaused() || this.#stopping.signal.aborted) return;
    if (this.#queue.length >= maxQueue) {
      this.#troubles.warn("full", `Could not enqueue advisory: ${maxQueue} are waiting`, { event: news.event });
      return;
    }
    this.#queue.push(advisoryOf(news, inspectField, replicator, clock.now()));
    this.#work ??= this.#drain();
  }

  /** Publish no more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
  }

  async #drain(): Promise<void> {
    for (;;) {
      const advisory = this.#queue.shift();
      if (advisory === undefined || this.#stopping.signal.aborted) break;
      await this.#publish(advisory);
    }
    this.#work = undefined;
  }

  async #publish(advisory: Advisory): Promise<void> {
    const { settings, connection, metrics, stream, replicator } = this.#options;
    const labels = { advisory: advisory.event, stream, replicator };
    const subject = advisorySubject(settings.subject, advisory);
    const data = encodeUtf8(JSON.stringify(advisory));
    metrics.counter("advisor_total_messages", labels)();
    if (settings.reliable) await this.#insist(subject, data, advisory, labels);
    else connection.publish(subject, data);
  }

  async #insist(subject: string, data: Uint8Array, advisory: Advisory, labels: Record<string, string>): Promise<void> {
    const { connection, clock, logger, metrics } = this.#options;
    const waits = backoff(fiveSecondSteps);
    const header = headers();
    header.set("Nats-Msg-Id", advisory.event_id);
    for (let attempt = 1; !this.#stopping.signal.aborted; attempt++) {
      try {
        const answer = await connection.nats.request(subject, data, { timeout: 2_000, headers: header });
        const { error } = parseObject(answer.data);
        if (error === undefined) return;
        throw new Error(isObject(error) ? String(error.description) : "refused");
      } catch (error) {
        metrics.counter("advisor_publish_errors", labels)();
        const fields = { event: advisory.event, reason: natsErrorText(error) };
        if (attempt === maxTries) return logger.error(`Giving up on advisory after ${maxTries} tries`, fields);
        logger.debug("An advisory was not stored", fields);
      }
      await clock.sleep(waits.delay(attempt), this.#stopping.signal);
    }
  }
}

/** The advisory for news. */
export function advisoryOf(
  { event, value, seen }: TrackerNews,
  field: string,
  replicator: string,
  now: number,
): Advisory {
  return {
    protocol: "io.choria.sr.v2.age_advisory",
    event_id: newKsuid(Math.floor(now / 1_000)),
    inspect_field: field,
    age: seen === 0 ? -1 : Math.round((now - seen) / 1_000),
    seen: Math.floor(seen / 1_000),
    replicator,
    timestamp: Math.floor(now / 1_000),
    event,
    value,
  };
}

/**
 * The subject of an advisory. Values come from strangers: white space would end the subject, and what follows be read as
 * another part of the command; such characters become underscores.
 */
export function advisorySubject(template: string, { event, value }: Pick<Advisory, "event" | "value">): string {
  const safe = [...value].map((character) => (character <= " " || character === "\x7f" ? "_" : character)).join("");
  return template.replaceAll("%s", event).replaceAll("%v", () => safe);
}
