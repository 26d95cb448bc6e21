import { newStream, type StreamDefinition } from "./definition.ts";

/** What a bucket is like; what is not said is as of every new bucket. */
export interface BucketSettings {
  /** How many values of a key are kept. @default 5 */
  history?: number;
  /** Milliseconds after which a value is forgotten; 0 for never. @default 0 */
  ttl?: number;
  /** @default 1 */
  replicas?: number;
  /** Most bytes of a value; -1 for any. @default -1 */
  maxValueSize?: number;
  /** Most bytes of all values; -1 for any. @default -1 */
  maxBytes?: number;
  /** Whether any replica answers who reads. @default true */
  direct?: boolean;
}

/** JetStream keeps at most this many values of a key. */
const longestHistory = 64;

/** The stream that holds a bucket. */
export function bucketStreamName(bucket: string): string {
  checkBucketName(bucket);
  return `KV_${bucket}`;
}

/** @throws {Error} when a text is no name that a bucket, of values or of objects, can have. */
export function checkBucketName(bucket: string): void {
  if (/^[-\w]+$/.test(bucket)) return;
  throw new Error(`Cannot use the bucket name "${bucket}": letters, digits, - and _ make a name`);
}

/**
 * The stream of a new bucket, as every client of NATS makes them.
 * @throws {RangeError} when the history is longer than JetStream keeps.
 */
export function newBucket(bucket: string, settings: BucketSettings = {}): StreamDefinition {
  const { history = 5, ttl = 0, replicas = 1, maxValueSize = -1, maxBytes = -1, direct = true } = settings;
  if (history < 1 || history > longestHistory) {
    throw new RangeError(`Cannot keep ${history} values of a key: a bucket keeps 1 to ${longestHistory}`);
  }
  return newStream(bucketStreamName(bucket), {
    subjects: [`$KV.${bucket}.>`],
    discard: "new",
    maxMessagesPerSubject: history,
    maxAge: ttl,
    maxBytes,
    maxMessageSize: maxValueSize,
    replicas,
    allowRollup: true,
    denyDelete: true,
    allowDirect: direct,
  });
}
