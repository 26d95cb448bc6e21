import {
  JetStreamApiError,
  type JetStreamManager,
  type StreamInfo,
  type StreamInfoRequestOptions,
} from "@nats-io/jetstream";

/** `err_code` of JetStream. */
const streamNotFound = 10_059;

/**
 * A stream by its name; undefined where there is none.
 * @throws {JetStreamApiError} the broker's refusal.
 */
export async function findStream(
  manager: JetStreamManager,
  name: string,
  options: Partial<StreamInfoRequestOptions> = {},
): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name, options);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}
