import type { NatsConnection } from "@nats-io/nats-core";
import { decodeBase64 } from "../crypto/mod.ts";
import { apiErrors, askApi, isApiError, numberOf, sectionOf } from "./_api.ts";
import { type Origin, originHeader, parseOrigin } from "./origin.ts";

/** Which copies are an entry's own. */
export type OwnCopy = (origin: Origin) => boolean;

/** Where to look for the last copy. */
export interface PositionQuery {
  nats: NatsConnection;
  /** Target stream. */
  stream: string;
  /** A subject under which the copies lie, with wildcards, where there is just one. */
  subject: string | undefined;
  isOwn: OwnCopy;
  /** Sequence in the target up to which everything is known; 0 for nothing. */
  after: number;
}

/** Most messages of others that are looked through for one of our own. */
const maxSteps = 2_000;

/**
 * The last copy that the target holds, read from the header that says where it came from; undefined when it holds none
 * behind `after`, or none among its last 2,000 messages.
 *
 * @throws {ApiError} when the stream cannot be read; {@link Error} when nobody answers.
 */
export async function lastCopy(query: PositionQuery): Promise<Origin | undefined> {
  const { nats, stream, subject, isOwn } = query;
  const state = sectionOf(await askApi(nats, `STREAM.INFO.${stream}`), "state");
  const last = numberOf(state, "last_seq");
  // A stream that ends before what it has acknowledged was made anew.
  const after = query.after <= last ? query.after : 0;
  if (last === after || numberOf(state, "messages") === 0) return undefined;
  const first = Math.max(numberOf(state, "first_seq"), after + 1);
  for (let at = last, step = 0; at >= first && step < maxSteps; at--, step++) {
    const origin = await originOf(query, { seq: at }, isOwn);
    if (origin !== undefined) return origin;
    // Others write into the stream too: the last one under our subjects is likely to be ours.
    if (step === 0 && subject !== undefined) {
      const found = await originOf(query, { last_by_subj: subject }, isOwn);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function originOf(
  { nats, stream }: Pick<PositionQuery, "nats" | "stream">,
  which: { seq: number } | { last_by_subj: string },
  isOwn: OwnCopy,
): Promise<Origin | undefined> {
  try {
    const message = sectionOf(await askApi(nats, `STREAM.MSG.GET.${stream}`, which), "message");
    return ownOrigin(typeof message.hdrs === "string" ? message.hdrs : "", isOwn);
  } catch (error) {
    // A message that was deleted, or expired a moment ago.
    if (isApiError(error, apiErrors.messageNotFound)) return undefined;
    throw error;
  }
}

/** Copies of copies have several such headers; ours is the last. */
function ownOrigin(encoded: string, isOwn: OwnCopy): Origin | undefined {
  const bytes = decodeBase64(encoded) ?? new Uint8Array();
  const lines = Buffer.from(bytes).toString("latin1").split("\r\n");
  const own = lines.flatMap((line) => {
    const [name, ...value] = line.split(":");
    const origin = name === originHeader ? parseOrigin(value.join(":").trim()) : undefined;
    return origin !== undefined && isOwn(origin) ? [origin] : [];
  });
  return own.at(-1);
}

/** Where to look for one copy: between two copies whose places in the target are known. */
export interface CopyQuery extends Pick<PositionQuery, "nats" | "stream" | "isOwn" | "after"> {
  /** Sequence in the target of a later copy. */
  before: number;
  /** Sequence in the source of the message. */
  sequence: number;
}

/**
 * Whether the target holds the copy of one message.
 *
 * @throws {ApiError} when the stream cannot be read; {@link Error} when nobody answers.
 */
export async function holdsCopy({ after, before, sequence, ...query }: CopyQuery): Promise<boolean> {
  for (let at = before - 1, step = 0; at > after && step < maxSteps; at--, step++) {
    const origin = await originOf(query, { seq: at }, query.isOwn);
    if (origin?.sequence === sequence) return true;
  }
  return false;
}

/** How far the clocks of a cluster's servers, and one clock that is set right, may be apart, in milliseconds. */
const skew = 60_000;

/**
 * Whether a message is one that the target has. Its time counts as well: a source stream that was made anew begins its
 * sequences at 1 again, with later times. Within one stream times may go back a little, as when another server of a
 * cluster takes it over.
 *
 * @param made When the source stream was made, in Unix milliseconds.
 */
export function isCovered(
  message: { sequence: number; time: number },
  last: Origin | undefined,
  made: number,
): boolean {
  if (last === undefined || message.sequence > last.sequence) return false;
  return message.time <= last.time + (last.time >= made ? skew : 0);
}
