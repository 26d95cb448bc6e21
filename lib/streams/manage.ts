import { JetStreamApiError, type JetStreamManager, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import type { Config } from "../config/mod.ts";
import type { Connection } from "../connector/mod.ts";
import {
  backoff,
  type Clock,
  errorText,
  fiveSecondSteps,
  formatDuration,
  type Logger,
  systemClock,
} from "../std/mod.ts";
import { type ManagedStream, managedStreams } from "./managed.ts";

const streamNotFound = 10_059;
/** Without a leader nobody answers at all, and it is soon asked again. */
const askTimeout = 1_000;
const changeTimeout = 3_000;

/** How {@link manageStreams} works. */
export interface ManageOptions {
  config: Config;
  logger: Logger;
  /** How many brokers the cluster has, this one included. */
  brokers: number;
  /** Ends the tries. */
  signal?: AbortSignal;
  /** @default systemClock */
  clock?: Clock;
}

/**
 * Create Choria's own streams, or bring their configuration in line, trying each until it works: a cluster has no
 * JetStream before most of its brokers have met.
 *
 * @param connection To account `choria` of the broker, without limits.
 * @returns when every stream stands or `signal` aborts; never rejects.
 */
export async function manageStreams(connection: Connection, options: ManageOptions): Promise<void> {
  const { config, logger, brokers, signal, clock = systemClock } = options;
  const waits = backoff(fiveSecondSteps);
  // A request that nobody answers takes longer to fail than a broker has time to stop.
  const stopped = aborted(signal);
  for (const stream of managedStreams(config, brokers)) {
    for (let attempt = 0; !signal?.aborted; attempt++) {
      try {
        await Promise.race([ensureStream(connection, stream, logger), stopped]);
        break;
      } catch (error) {
        const fields = { stream: stream.name, attempt: attempt + 1, reason: errorText(error) };
        if (attempt === 0) logger.info("A stream cannot be configured yet; trying again", fields);
        else logger.warn("A stream could not be configured; trying again", fields);
      }
      await clock.sleep(waits.delay(attempt), signal);
    }
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}

async function ensureStream(connection: Connection, stream: ManagedStream, logger: Logger): Promise<void> {
  const isNew = await createOrUpdate(connection, stream);
  const retention = formatDuration(stream.max_age / 1_000_000);
  logger.info(
    `${isNew ? "Created" : "Configured"} stream ${stream.name} with ${stream.num_replicas} replicas and ${retention} retention`,
  );
}

async function createOrUpdate({ nats }: Connection, stream: ManagedStream): Promise<boolean> {
  const present = await infoOf(await jetstreamManager(nats, { checkAPI: false, timeout: askTimeout }), stream.name);
  const manager = await jetstreamManager(nats, { checkAPI: false, timeout: changeTimeout });
  if (present === undefined) await manager.streams.add(stream);
  // What a stream was created with and cannot change any more is kept.
  else await manager.streams.update(stream.name, { ...present.config, ...stream });
  return present === undefined;
}

async function infoOf(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}
