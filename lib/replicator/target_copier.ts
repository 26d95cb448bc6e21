import type { Msg } from "@nats-io/nats-core";
import { type JsonObject, newKsuid, zeroTime } from "../std/mod.ts";
import { apiErrors, askApi, isApiError, natsErrorText, numberOf, sectionOf } from "./_api.ts";
import {
  type Copier,
  type CopierOptions,
  keepReceiving,
  lookAtSource,
  openWriter,
  type SourceState,
  settledLastCopy,
  stopGrace,
} from "./copier.ts";
import { originOf, withOrigin } from "./copy.ts";
import { type Delivery, parseDelivery } from "./delivery.ts";
import { type Origin, originHeader, parseOrigin } from "./origin.ts";
import { isCovered } from "./position.ts";
import { startOf } from "./source_consumer.ts";
import { mapSubject } from "./subject.ts";
import type { TargetWriter } from "./target_writer.ts";

/** How often an idle server says that it is there, in nanoseconds. */
const idleHeartbeat = 20_000_000_000;
/** How long nothing may come, in milliseconds. */
const silence = 45_000;

/** One consumer and what comes from it. */
interface Session {
  over: AbortController;
  delivered: number;
  lastHeard: number;
}

/**
 * Copies a stream without leaving anything in the source: the place to go on from is read from the last copy in the
 * target. Of a message's headers none is copied, as it has always been in this mode.
 */
export class TargetCopier implements Copier {
  readonly #options: CopierOptions;
  readonly #stopping = new AbortController();
  readonly #work: Promise<void>;
  #isActive: boolean;
  #writer: TargetWriter | undefined;
  /** The source as the writer's messages come from it. */
  #source: SourceState = { made: 0, last: 0 };
  /** The last copy of a stream of which that is doubtful; what it covers is not copied. */
  #doubtful: Origin | undefined;
  /** Sequence of the last message that was taken; 0 for none. */
  #taken = 0;
  #session: Session | undefined;

  constructor(options: CopierOptions) {
    this.#options = options;
    this.#isActive = options.isActive;
    options.logger.info(`Starting Target-initiated data copier for ${options.entry.stream}`);
    this.#work = this.#run();
  }

  resume(): void {
    this.#isActive = true;
  }

  pause(): void {
    this.#isActive = false;
    this.#session?.over.abort();
    // Whoever leads meanwhile goes on from here: our own place means nothing any more.
    this.#endTenure();
    this.#options.metrics.sequence(0);
  }

  disconnected(side: "source" | "target"): void {
    if (side === "source") this.#session?.over.abort();
    else this.#writer?.disconnected();
  }

  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#options.logger.warn("Copier shutting down after context interrupt");
      this.#stopping.abort();
      this.#session?.over.abort();
    }
    await this.#work;
  }

  #endTenure(): void {
    this.#writer?.close();
    this.#writer = undefined;
    this.#doubtful = undefined;
    this.#taken = 0;
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    await keepReceiving(this.#options, {
      isActive: () => this.#isActive,
      receive: () => this.#receive(),
      onFailure: (reason) => logger.error(reason),
      signal: this.#stopping.signal,
    });
    await this.#writer?.drained(stopGrace);
    this.#endTenure();
  }

  async #receive(): Promise<void> {
    const { source, clock, metrics } = this.#options;
    const session: Session = { over: new AbortController(), delivered: 0, lastHeard: clock.now() };
    this.#session = session;
    const start = await this.#start();
    this.#writer ??= openWriter(this.#options, this.#source.made);
    const writer = this.#writer;
    const inbox = source.newInbox();
    const subscription = source.connection.nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null && !session.over.signal.aborted) this.#received(message, session, writer);
      },
    });
    const name = crypto.randomUUID().replaceAll("-", "").slice(0, 8);
    try {
      await this.#createConsumer(name, inbox, start);
      metrics.recreated();
      using _watch = clock.every(1_000, () => {
        if (Math.abs(clock.now() - session.lastHeard) > silence) session.over.abort();
      });
      await new Promise<void>((resolve) => {
        if (session.over.signal.aborted || this.#stopping.signal.aborted) resolve();
        else session.over.signal.addEventListener("abort", () => resolve(), { once: true });
      });
    } finally {
      if (!source.connection.nats.isClosed()) subscription.unsubscribe();
    }
  }

  async #createConsumer(name: string, inbox: string, start: JsonObject): Promise<void> {
    const { source, entry } = this.#options;
    const config = {
      description: `Choria Stream Replicator ${entry.name}`,
      ack_policy: "none",
      ack_wait: 30_000_000_000,
      ...start,
      deliver_subject: inbox,
      name,
      filter_subject: entry.filterSubject,
      flow_control: true,
      idle_heartbeat: idleHeartbeat,
      replay_policy: "instant",
      num_replicas: 0,
      pause_until: zeroTime,
    };
    const subject = `CONSUMER.CREATE.${entry.stream}.${name}.${entry.filterSubject}`;
    await askApi(source.connection.nats, subject, { stream_name: entry.stream, config, action: "" });
  }

  /** Where to begin: behind what was taken, else behind the last copy, else where the configuration says. */
  async #start(): Promise<JsonObject> {
    const source = await lookAtSource(this.#options);
    const isAnew = this.#taken > 0 && source.made !== this.#source.made;
    if (isAnew) {
      // Its sequences begin again.
      this.#options.logger.warn("The source stream was made anew, copying it from its beginning");
      await this.#writer?.drained(stopGrace);
      this.#endTenure();
    }
    this.#source = source;
    if (isAnew) return fromSequence(1);
    if (this.#taken > 0) return fromSequence(this.#taken + 1);
    try {
      await settledLastCopy(this.#options, this.#stopping.signal);
      return await this.#startFromTarget();
    } catch (error) {
      throw new Error(`could not obtain start sequence: ${natsErrorText(error)}`, { cause: error });
    }
  }

  async #startFromTarget(): Promise<JsonObject> {
    const { target, entry, logger, clock } = this.#options;
    const { nats } = target.connection;
    const last_by_subj = mapSubject(entry.filterSubject, entry);
    let message: JsonObject;
    try {
      message = sectionOf(await askApi(nats, `STREAM.MSG.GET.${entry.targetStream}`, { last_by_subj }), "message");
    } catch (error) {
      if (!isApiError(error, apiErrors.messageNotFound)) throw error;
      const state = sectionOf(await askApi(nats, `STREAM.INFO.${entry.targetStream}`), "state");
      if (numberOf(state, "last_seq") > 0 && numberOf(state, "messages") === 0) return this.#startAfterPurge(state);
      const start = startOf(entry, 0, clock.now());
      if (start.deliver_policy === "all") logger.info("Starting with all available messages");
      return start;
    }
    const origin = lastOrigin(message, entry.stream);
    const { sequence } = origin;
    logger.debug(`Detected last message from stream ${entry.stream} sequence ${sequence}`);
    if (sequence > this.#source.last || origin.time < this.#source.made) {
      logger.warn("The source stream was made anew, copying from its beginning what is not in the target");
      this.#doubtful = origin;
      return fromSequence(1);
    }
    logger.info(`Resuming consumer from stream sequence ${sequence + 1}`);
    return fromSequence(sequence + 1);
  }

  #startAfterPurge(state: JsonObject): JsonObject {
    const { entry, logger } = this.#options;
    const time = String(state.last_ts);
    logger.warn(
      `Detected a purge on ${entry.targetStream} with last message sequence ${numberOf(state, "last_seq")}, resuming from purge time ${time}`,
    );
    return { deliver_policy: "by_start_time", opt_start_time: time };
  }

  #received(message: Msg, session: Session, writer: TargetWriter): void {
    session.lastHeard = this.#options.clock.now();
    const delivery = message.reply === undefined ? undefined : parseDelivery(message.reply);
    if (delivery === undefined) {
      this.#status(message, writer);
      return;
    }
    const { delivered } = session;
    session.delivered = delivery.consumerSequence;
    if (delivery.consumerSequence !== delivered + 1) {
      this.#options.logger.warn(
        `Gap detected ${delivered} -> ${delivery.consumerSequence} on stream sequence ${delivery.sequence} resuming on sequence ${this.#taken + 1}`,
      );
      session.over.abort();
      return;
    }
    if (delivery.sequence <= this.#taken || isCovered(delivery, this.#doubtful, this.#source.made)) return;
    this.#copy(message, delivery, writer);
  }

  /** The server wants to know how far we are before it sends more: it is told when all that came before is stored. */
  #status(message: Msg, writer: TargetWriter): void {
    const { reply } = message;
    const stalled = message.headers?.get("Nats-Consumer-Stalled") ?? "";
    const answerTo = reply !== undefined && reply !== "" ? reply : stalled;
    if (answerTo === "") return;
    const { connection } = this.#options.source;
    const finish = () => {
      if (connection.server !== "" && !connection.nats.isClosed()) connection.nats.publish(answerTo);
    };
    writer.add({ sequence: this.#taken, time: 0, finish });
  }

  #copy(message: Msg, delivery: Delivery, writer: TargetWriter): void {
    const { entry, replicator, metrics, logger } = this.#options;
    const { data } = message;
    const begin = performance.now();
    this.#taken = delivery.sequence;
    metrics.total();
    metrics.totalBytes(data.length);
    metrics.sequence(delivery.sequence);
    const header = withOrigin(originOf(delivery, entry, replicator));
    header.append("Nats-Msg-Id", newKsuid());
    writer.add({
      sequence: delivery.sequence,
      time: delivery.time,
      copy: { subject: mapSubject(message.subject, entry), data, headers: header, isDelicate: false },
      finish: (isRefused) => {
        metrics.seconds((performance.now() - begin) / 1_000);
        if (isRefused) return metrics.refused();
        metrics.copied();
        metrics.copiedBytes(data.length);
        logger.debug(`Copied message seq ${delivery.sequence}, ${delivery.pending} message(s) behind`);
      },
    });
  }
}

function fromSequence(sequence: number): JsonObject {
  return { deliver_policy: "by_start_sequence", opt_start_seq: sequence };
}

/**
 * Where the last copy comes from.
 * @throws {Error} when the message is none, or one of another stream: something else writes into the target.
 */
function lastOrigin(message: JsonObject, stream: string): Origin {
  const encoded = typeof message.hdrs === "string" ? message.hdrs : "";
  if (encoded === "") throw new Error("last message is not a stream replicator message");
  const lines = Buffer.from(encoded, "base64").toString("latin1").split("\r\n");
  const line = lines.find((text) => text.startsWith(`${originHeader}:`));
  if (line === undefined) throw new Error("last message is not a stream replicator message");
  const value = line.slice(originHeader.length + 1).trim();
  const origin = parseOrigin(value);
  if (origin === undefined) throw new Error(`last message has an invalid header: ${value}`);
  if (origin.stream !== stream) throw new Error(`last message is from a different stream ${origin.stream}`);
  return origin;
}
