import { hostname } from "node:os";
import { headers } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { type Clock, encodeUtf8, isObject, type Logger, parseObject } from "../std/mod.ts";
import { natsErrorText } from "./_api.ts";
import type { HeartbeatSettings, HeartbeatSubject } from "./config.ts";
import type { ReplicatorMetrics } from "./metrics.ts";

/** What {@link startHeartbeats} needs. */
export interface HeartbeatOptions {
  settings: HeartbeatSettings;
  connection: Connection;
  replicator: string;
  metrics: ReplicatorMetrics;
  clock: Clock;
  logger: Logger;
  /** Whether another replicator sends them. */
  isPaused: () => boolean;
  /** Gives numbers from 0 up to 1; for tests. */
  random?: () => number;
}

/** The most that the first heartbeat is put off beside its interval, in milliseconds. */
const jitter = 5_000;

/** Publish the time to each subject, again and again, until the handle is disposed. */
export function startHeartbeats(options: HeartbeatOptions): Disposable {
  const { settings, metrics, replicator, clock, logger, random = Math.random } = options;
  metrics.gauge("heartbeat_subjects_count", { replicator })(settings.subjects.length);
  const stack = new DisposableStack();
  for (const subject of settings.subjects) {
    logger.info(`Starting heartbeat with interval: ${subject.interval / 1_000}s`, { subject: subject.subject });
    const beat = new Heartbeat(options, subject);
    const first = jitter * (0.5 + random()) + subject.interval;
    let again: Disposable | undefined;
    stack.use(
      clock.after(first, () => {
        void beat.send();
        again = clock.every(subject.interval, () => void beat.send());
      }),
    );
    stack.defer(() => again?.[Symbol.dispose]());
  }
  return stack;
}

/** The heartbeat of one subject. */
class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #subject: HeartbeatSubject;
  #isFailing = false;

  constructor(options: HeartbeatOptions, subject: HeartbeatSubject) {
    this.#options = options;
    this.#subject = subject;
  }

  async send(): Promise<void> {
    const { connection, metrics, replicator, clock, logger, isPaused } = this.#options;
    if (isPaused() || connection.server === "") return;
    const labels = { replicator, subject: this.#subject.subject };
    const begin = performance.now();
    try {
      await this.#publish(encodeUtf8(String(Math.floor(clock.now() / 1_000))));
      if (this.#isFailing) logger.info("Heartbeats are stored again", { subject: labels.subject });
      this.#isFailing = false;
    } catch (error) {
      metrics.counter("heartbeat_published_error_count", labels)();
      const text = `Unable to publish message to subject: ${natsErrorText(error)}`;
      // Said once: the stream may be made much later.
      if (this.#isFailing) logger.debug(text, { subject: labels.subject });
      else logger.error(text, { subject: labels.subject });
      this.#isFailing = true;
    }
    metrics.counter("heartbeat_published_count", labels)();
    metrics.summary("heartbeat_publish_time", labels)((performance.now() - begin) / 1_000);
  }

  async #publish(data: Uint8Array): Promise<void> {
    const { subject, headers: extra } = this.#subject;
    const header = headers();
    header.set("Choria-SR-Originator", hostname());
    header.set("Choria-SR-Subject", subject);
    for (const [name, value] of Object.entries(extra)) header.set(name, value);
    const answer = await this.#options.connection.nats.request(subject, data, { timeout: 2_000, headers: header });
    const { error } = parseObject(answer.data);
    if (isObject(error)) throw new Error(`${error.description} (${error.err_code})`);
  }
}
