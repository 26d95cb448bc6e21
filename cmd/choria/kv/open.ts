import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { Command } from "commander";
import { bucketStreamName, findStream, openStore } from "../../../lib/streams/mod.ts";
import type { StreamSession } from "../broker/session.ts";

/** The stream of a bucket; undefined where there is none. */
export function find(manager: JetStreamManager, bucket: string): Promise<StreamInfo | undefined> {
  return findStream(manager, bucketStreamName(bucket));
}

/**
 * A bucket to read and write.
 * @throws {Error} when there is no such bucket.
 */
export async function open({ fleet, manager }: StreamSession, bucket: string): Promise<KV> {
  if ((await find(manager, bucket)) === undefined) throw new Error(`bucket ${bucket} not found`);
  return openStore(fleet.connection, bucket);
}

/** A command about a key of a bucket. */
export function keyed(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument("<bucket>", "name of the bucket")
    .argument("<key>", "which key");
}
