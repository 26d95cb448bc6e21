import type { NatsConnection } from "@nats-io/nats-core";
import { backoff, type Clock, errorText, type JsonObject, type Logger, twentySecondSteps } from "../std/mod.ts";
import { apiErrors, askApi, isApiError, sectionOf } from "./_api.ts";
import type { EntrySettings } from "./config.ts";
import { mapStreamSubject } from "./subject.ts";

/** What waiting for a stream takes. */
export interface StreamOptions {
  nats: NatsConnection;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}

/** One in so many tries is told; the others only to who looks for faults. */
const toldTries = 50;

/**
 * The configuration of a stream, waiting for it for ever.
 * @throws the reason of `signal` when it aborts.
 */
export function awaitStream(stream: string, options: StreamOptions): Promise<JsonObject> {
  return insist("Loading stream failed", options, async () => {
    return sectionOf(await askApi(options.nats, `STREAM.INFO.${stream}`), "config");
  });
}

/**
 * The configuration of the target stream. An existing one is taken as it is; a missing one is made like the source.
 * @throws the reason of `signal` when it aborts.
 */
export function adoptTarget(source: JsonObject, entry: EntrySettings, options: StreamOptions): Promise<JsonObject> {
  const { nats, logger } = options;
  return insist("Loading stream failed", options, async () => {
    try {
      return sectionOf(await askApi(nats, `STREAM.INFO.${entry.targetStream}`), "config");
    } catch (error) {
      if (!isApiError(error, apiErrors.streamNotFound)) throw error;
    }
    const config = targetConfig(source, entry);
    try {
      return sectionOf(await askApi(nats, `STREAM.CREATE.${entry.targetStream}`, config), "config");
    } catch (error) {
      if (!isApiError(error, apiErrors.noCluster)) throw error;
    }
    logger.warn("The target is no cluster: the stream is made without replicas", { stream: entry.targetStream });
    return sectionOf(
      await askApi(nats, `STREAM.CREATE.${entry.targetStream}`, { ...config, num_replicas: 1 }),
      "config",
    );
  });
}

/**
 * What goes over from one stream to its copy. Mirrors and sources stay behind: the target has not the streams that they
 * name, and a mirror takes no messages.
 */
const copied = [
  "description",
  "retention",
  "max_consumers",
  "max_msgs_per_subject",
  "max_msgs",
  "max_bytes",
  "max_age",
  "max_msg_size",
  "storage",
  "discard",
  "num_replicas",
  "duplicate_window",
  "placement",
  "deny_delete",
  "deny_purge",
  "allow_rollup_hdrs",
  "allow_direct",
  "metadata",
  "consumer_limits",
  "republish",
];

/** The configuration of a target stream that is made. */
export function targetConfig(source: JsonObject, entry: EntrySettings): JsonObject {
  const subjects = Array.isArray(source.subjects) ? source.subjects : [];
  const config: JsonObject = {
    name: entry.targetStream,
    subjects: subjects.map((subject) => mapStreamSubject(String(subject), entry)),
  };
  for (const key of copied) if (source[key] !== undefined) config[key] = source[key];
  // Sent only where they are in use, as older servers do not know them.
  for (const key of ["discard_new_per_subject", "allow_msg_ttl"]) if (source[key] === true) config[key] = true;
  if (source.compression === "s2") config.compression = "s2";
  return config;
}

async function insist<T>(what: string, options: StreamOptions, work: () => Promise<T>): Promise<T> {
  const { clock, logger, signal } = options;
  const waits = backoff(twentySecondSteps);
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const text = `${what} on try ${attempt}: ${errorText(error)}`;
      if (attempt % toldTries === 1) logger.info(text);
      else logger.debug(text);
    }
    await clock.sleep(waits.delay(attempt - 1), signal);
  }
}
