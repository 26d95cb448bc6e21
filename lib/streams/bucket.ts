import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { Connection } from "../connector/mod.ts";
import { bucketStreamName, checkBucketName } from "./bucket_definition.ts";

/** What a bucket holds under a key. */
export interface BucketEntry {
  readonly value: Uint8Array;
  /** Grows with every change of the bucket. */
  readonly revision: number;
}

/** A key-value bucket in Choria Streams that is only read: what the permissions of servers allow. */
export interface BucketReader {
  /** Name of the bucket, without the stream's prefix. */
  readonly name: string;
  /**
   * What stands under a key; undefined where nothing does, or where it was deleted.
   * @throws {Error} when there is no such bucket, or nobody answers.
   */
  get(key: string): Promise<BucketEntry | undefined>;
}

/** Longest wait for an answer, in milliseconds. */
const timeout = 5_000;

/**
 * A bucket by its name. It is looked for when it is first read, and again after each failure, so it may be made later.
 *
 * @throws {Error} when the name is none that a bucket can have.
 */
export function openBucket(connection: Pick<Connection, "nats">, name: string): BucketReader {
  checkBucketName(name);
  let opened: Promise<KV> | undefined;
  return {
    name,
    async get(key) {
      opened ??= openStore(connection, name);
      try {
        const entry = await (await opened).get(key);
        if (entry === null || entry.operation !== "PUT") return undefined;
        return { value: entry.value, revision: entry.revision };
      } catch (error) {
        opened = undefined;
        throw error;
      }
    },
  };
}

/**
 * A bucket to read and write, as far as the permissions of the connection go. Direct reads are answered by any
 * replica, and by nobody where the bucket does not allow them.
 *
 * @throws {Error} when there is no such bucket, or nobody answers.
 */
export async function openStore({ nats }: Pick<Connection, "nats">, name: string): Promise<KV> {
  const manager = await jetstreamManager(nats, { checkAPI: false, timeout });
  // Most nodes never open a bucket, and need not load what does.
  const { Kvm } = await import("@nats-io/kv");
  const { config } = await manager.streams.info(bucketStreamName(name));
  return new Kvm(jetstream(nats, { checkAPI: false, timeout })).open(name, { allow_direct: config.allow_direct });
}

/** An object of an object bucket. */
export interface StoredObject {
  /** Bytes. */
  readonly size: number;
  /** Its content; it fails at the end where the digest is not that of the object. */
  readonly content: ReadableStream<Uint8Array>;
}

/**
 * Read an object of an object bucket in Choria Streams. Links to other objects are not followed.
 *
 * @throws {Error} when there is no such bucket or object, or nobody answers.
 */
export async function readObject(
  connection: Pick<Connection, "nats">,
  bucket: string,
  name: string,
): Promise<StoredObject> {
  const place = `Cannot read the object "${name}" of the bucket "${bucket}"`;
  checkBucketName(bucket);
  const { Objm } = await import("@nats-io/obj");
  const store = await new Objm(jetstream(connection.nats, { checkAPI: false, timeout })).open(bucket);
  const info = await store.info(name);
  if (info === null || info.deleted) throw new Error(`${place}: there is none`);
  if (info.options?.link !== undefined) throw new Error(`${place}: it is a link`);
  const found = await store.get(name);
  if (found === null) throw new Error(`${place}: it has just been removed`);
  // Whoever reads is told of the same error by the stream.
  found.error.catch(() => undefined);
  return { size: info.size, content: found.data };
}
