import type { Connection } from "../connector/mod.ts";
import { backoff, type Clock, type JsonObject, type Logger, twentySecondSteps } from "../std/mod.ts";
import { askApi, natsErrorText, numberOf, sectionOf } from "./_api.ts";
import type { EntrySettings } from "./config.ts";
import type { EndpointConnection } from "./endpoint.ts";
import type { Limiter } from "./limiter.ts";
import type { EntryMetrics } from "./metrics.ts";
import type { Origin } from "./origin.ts";
import { holdsCopy, lastCopy, type OwnCopy } from "./position.ts";
import { mapSubject } from "./subject.ts";
import { TargetWriter } from "./target_writer.ts";

/** Copies the messages of one stream until it is stopped. */
export interface Copier {
  /** Go on, after {@link Copier.pause}. */
  resume(): void;
  /** Copy nothing while another replicator leads; what is under way is left to it. */
  pause(): void;
  /** The connection to the source, or the target, is lost. */
  disconnected(side: "source" | "target"): void;
  /** Finish what is under way, for a while, and copy no more. Idempotent. */
  stop(): Promise<void>;
}

/** What a {@link Copier} works with. */
export interface CopierOptions {
  entry: EntrySettings;
  /** Name of the replicator. */
  replicator: string;
  source: EndpointConnection;
  target: EndpointConnection;
  /** Settings of the source stream. */
  sourceStream: JsonObject;
  /** Settings of the target stream; undefined when it cannot be looked at. */
  targetStream: JsonObject | undefined;
  limiter: Limiter | undefined;
  metrics: EntryMetrics;
  clock: Clock;
  logger: Logger;
  /** Begin without waiting for {@link Copier.resume}. */
  isActive: boolean;
}

/** What is to be known of the source stream before its sequences mean anything. */
export interface SourceState {
  /** When it was made, in Unix milliseconds. The messages of a mirror may be older. */
  made: number;
  /** Sequence of its last message. */
  last: number;
}

/**
 * Look at the source stream.
 * @throws {ApiError} when it is not there; {@link Error} when nobody answers.
 */
export async function lookAtSource({ source, entry }: CopierOptions): Promise<SourceState> {
  const info = await askApi(source.connection.nats, `STREAM.INFO.${entry.stream}`);
  const made = Date.parse(String(info.created));
  return { made, last: numberOf(sectionOf(info, "state"), "last_seq") };
}

/** How long a copier that stops lets the target acknowledge what was sent, in milliseconds. */
export const stopGrace = 5_000;

/**
 * A writer into the entry's target.
 * @param sourceMade When the source stream was made, in Unix milliseconds.
 */
export function openWriter(options: CopierOptions, sourceMade: number): TargetWriter {
  const { target, targetStream, entry, metrics, clock, logger } = options;
  return new TargetWriter({
    connection: target.connection,
    inbox: target.newInbox(),
    stream: targetStream,
    sourceMade,
    lastCopy: (after) => findLastCopy(options, after),
    holdsCopy: (sequence, after, before) =>
      holdsCopy({
        nats: target.connection.nats,
        stream: entry.targetStream,
        isOwn: isOwn(options),
        sequence,
        after,
        before,
      }),
    refused: entry.refused,
    onFailure: () => metrics.errors(),
    clock,
    logger,
  });
}

/**
 * The last message of the entry that is in the target behind a sequence; undefined where the target cannot be read.
 * Replicators that compete for an entry have the entry's name in common, but may have names of their own.
 */
export async function findLastCopy(options: CopierOptions, after: number): Promise<Origin | undefined> {
  const { target, targetStream, entry } = options;
  if (targetStream === undefined) return undefined;
  return await lastCopy({
    nats: target.connection.nats,
    stream: entry.targetStream,
    subject: copySubject(options),
    after,
    isOwn: isOwn(options),
  });
}

function isOwn({ entry, replicator }: CopierOptions): OwnCopy {
  return (origin) =>
    origin.stream === entry.stream &&
    origin.entry === entry.name &&
    (origin.replicator === replicator || entry.leaderElectionName !== "");
}

/** Between two looks at the end of the target, in milliseconds. */
const settling = 250;

/**
 * {@link findLastCopy}, once it does not move any more: what a predecessor sent before it ended may still be on its way
 * through the target's server.
 */
export async function settledLastCopy(options: CopierOptions, signal: AbortSignal): Promise<Origin | undefined> {
  let last = await findLastCopy(options, 0);
  while (!signal.aborted) {
    await options.clock.sleep(settling, signal);
    const next = await findLastCopy(options, 0);
    if (next?.sequence === last?.sequence) break;
    last = next;
  }
  return last;
}

/** The one subject, with wildcards, under which all copies lie; undefined where there are several. */
function copySubject({ entry, sourceStream }: CopierOptions): string | undefined {
  const subjects = Array.isArray(sourceStream.subjects) ? sourceStream.subjects : [];
  if (entry.filterSubject !== "") return mapSubject(entry.filterSubject, entry);
  return subjects.length === 1 ? mapSubject(String(subjects[0]), entry) : undefined;
}

/** Wait until a connection stands; false when `signal` aborts first. */
async function connected(connection: Connection, clock: Clock, signal: AbortSignal): Promise<boolean> {
  while (connection.server === "" && !signal.aborted) await clock.sleep(20, signal);
  return !signal.aborted;
}

/** How {@link keepReceiving} works. */
export interface ReceivingOptions {
  /** False while another replicator leads. */
  isActive: () => boolean;
  /** Receive until something ends the session. */
  receive: () => Promise<void>;
  /** A session could not be had, or failed; how many of them before it did in a row. */
  onFailure: (reason: string, failures: number) => void;
  /** Ends it. */
  signal: AbortSignal;
}

/** Hold one session with the source after another, waiting longer the more of them fail. */
export async function keepReceiving({ source, clock }: CopierOptions, options: ReceivingOptions): Promise<void> {
  const { isActive, receive, onFailure, signal } = options;
  const waits = backoff(twentySecondSteps);
  for (let failures = 0; !signal.aborted; ) {
    if (!(await connected(source.connection, clock, signal))) break;
    if (!isActive()) {
      await clock.sleep(50, signal);
      continue;
    }
    try {
      await receive();
      failures = 0;
    } catch (error) {
      onFailure(`Health check failed: ${natsErrorText(error)}`, failures);
      await clock.sleep(waits.delay(failures++), signal);
    }
  }
}
