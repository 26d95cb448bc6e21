import type { Msg, Subscription } from "@nats-io/nats-core";
import { encodeUtf8, errorText, TroubleLog } from "../std/mod.ts";
import { natsErrorText } from "./_api.ts";
import { DeliveryOrder, type Doubts } from "./_delivery_order.ts";
import { Pulls } from "./_pulls.ts";
import { SeenSequences } from "./_seen.ts";
import { isStatus, Selection } from "./_selection.ts";
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
import { type Delivery, parseDelivery } from "./delivery.ts";
import type { Origin } from "./origin.ts";
import { isCovered } from "./position.ts";
import { SourceConsumer } from "./source_consumer.ts";
import { type TargetWriter, windowSize } from "./target_writer.ts";

/** How long nothing at all may come before the consumer is looked after, in milliseconds. */
const silence = 15_000;
/** Bytes that may wait for the target before no more are asked for. */
const maxLoad = 8 * 1024 * 1024;
/** How long messages that were out may keep others waiting, without any coming, in milliseconds. */
const pause = 2_000;
const inProgress = encodeUtf8("+WPI");

/** A message that is with us. */
interface Held {
  /** Where to acknowledge it: the reply subject of its latest delivery. */
  reply: string;
}

/** What lasts from taking the lead until losing it, or stopping. */
interface Tenure {
  writer: TargetWriter;
  /** The source as it was when it began. */
  source: SourceState;
  /** The last copy that was there when it began; undefined for none. */
  last: Origin | undefined;
  held: Map<number, Held>;
  seen: SeenSequences;
  /** Sequence of the source that follows what is done with; 0 where the configuration says where to begin. */
  resume: number;
}

/** One stretch of receiving, during which deliveries follow one another without a gap. */
interface Session {
  over: AbortController;
  pulls: Pulls;
  /** Undefined until the consumer is prepared. */
  order: DeliveryOrder<Msg> | undefined;
  lastHeard: number;
}

/**
 * Copies a stream with a durable consumer in the source, many messages at a time, each once and in order. A message is
 * acknowledged to the source when the target has it, in the order of the stream, so that the consumer's place is never
 * past what is copied.
 *
 * Two things are in doubt after a failure: which messages the target has, which {@link TargetWriter} asks it, and which
 * ones the consumer believes to be with us. Where the latter may differ from what is, after a lost connection or
 * whenever the consumer's own count of deliveries has a gap, everything that is out is called back and comes again in
 * order; what is known is not copied again.
 */
export class SourceCopier implements Copier {
  readonly #options: CopierOptions;
  readonly #consumer: SourceConsumer;
  readonly #stopping = new AbortController();
  readonly #work: Promise<void>;
  #isActive: boolean;
  #tenure: Tenure | undefined;
  #session: Session | undefined;
  /** How often the lead was lost. */
  #losses = 0;
  readonly #selection: Selection;
  readonly #troubles: TroubleLog;
  readonly #doubts: Doubts = { since: 0 };

  constructor(options: CopierOptions) {
    this.#options = options;
    const { entry, source, clock, logger, metrics } = options;
    const onRecreated = () => metrics.recreated();
    this.#consumer = new SourceConsumer({
      nats: source.connection.nats,
      entry,
      clock,
      logger,
      window: windowSize,
      onRecreated,
    });
    this.#selection = new Selection(options);
    this.#troubles = new TroubleLog(logger, clock);
    this.#isActive = options.isActive;
    logger.info(`Starting Source-initiated data copier for ${entry.stream}`);
    this.#work = this.#run();
  }

  resume(): void {
    this.#isActive = true;
  }

  pause(): void {
    this.#isActive = false;
    this.#losses++;
    this.#session?.over.abort();
    this.#endTenure();
    this.#options.metrics.sequence(0);
  }

  disconnected(side: "source" | "target"): void {
    if (side === "source") this.#session?.over.abort();
    else this.#tenure?.writer.disconnected();
  }

  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#options.logger.warn("Copier shutting down after context interrupt");
      this.#stopping.abort();
      this.#session?.over.abort();
    }
    await this.#work;
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    await keepReceiving(this.#options, {
      isActive: () => this.#isActive,
      receive: () => this.#receive(),
      onFailure: (reason, failures) => (failures < 2 ? logger.debug(reason) : logger.error(reason)),
      signal: this.#stopping.signal,
    });
    await this.#finish();
  }

  /** Receive until something ends the session. */
  async #receive(): Promise<void> {
    const { source, clock } = this.#options;
    const { connection } = source;
    const inbox = source.newInbox();
    const over = new AbortController();
    const session: Session = { over, pulls: this.#pulls(inbox), order: undefined, lastHeard: clock.now() };
    this.#session = session;
    const tenure = await this.#beginTenure();
    session.order = new DeliveryOrder(await this.#consumer.prepare(tenure.resume), this.#doubts);
    if (over.signal.aborted || this.#stopping.signal.aborted || connection.server === "") return;
    const subscription = connection.nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null && !over.signal.aborted) this.#received(message, session, tenure);
      },
    });
    this.#pull(session, tenure);
    const timers = this.#timers(session, tenure);
    await ended(over.signal);
    for (const timer of timers) timer[Symbol.dispose]();
    this.#unsubscribe(subscription);
  }

  #unsubscribe(subscription: Subscription): void {
    if (!this.#options.source.connection.nats.isClosed()) subscription.unsubscribe();
  }

  async #beginTenure(): Promise<Tenure> {
    const { entry, logger } = this.#options;
    const losses = this.#losses;
    const known = this.#tenure;
    if (known !== undefined) {
      if ((await lookAtSource(this.#options)).made === known.source.made) return known;
      // Its sequences begin again, and what was seen of them means nothing.
      logger.warn("The source stream was made anew, copying it from its beginning");
      await known.writer.drained(stopGrace);
      this.#endTenure();
    }
    // Such an entry copies everything again at each start, by design.
    const last = entry.ephemeral ? undefined : await settledLastCopy(this.#options, this.#stopping.signal);
    if (last !== undefined) logger.debug(`Detected last message from stream ${last.stream} sequence ${last.sequence}`);
    // What was read is the place of somebody else by now.
    if (losses !== this.#losses) throw new Error("the lead was lost meanwhile");
    const source = await lookAtSource(this.#options);
    const resume = known !== undefined ? 1 : resumeFrom(source, last);
    const writer = openWriter(this.#options, source.made);
    this.#tenure = { source, writer, last, held: new Map(), seen: new SeenSequences(), resume };
    return this.#tenure;
  }

  #endTenure(): void {
    this.#tenure?.writer.close();
    this.#tenure = undefined;
  }

  #timers(session: Session, tenure: Tenure): Disposable[] {
    const { clock } = this.#options;
    return [
      clock.every(1_000, () => this.#look(session, tenure)),
      clock.every(this.#consumer.ackWait / 3, () => {
        for (const { reply } of tenure.held.values()) this.#answer(reply, inProgress);
      }),
    ];
  }

  /** A consumer that says nothing, not even that there is nothing, may be gone. */
  #look(session: Session, tenure: Tenure): void {
    session.pulls.relax();
    // Some of what was out has gone from the stream, or to somebody else: the consumer is asked anew.
    if (session.order?.isWaiting && this.#options.clock.now() - session.lastHeard > pause) session.over.abort();
    if (Math.abs(this.#options.clock.now() - session.lastHeard) > silence) {
      session.lastHeard = this.#options.clock.now();
      session.pulls.forget();
      void this.#check(session);
    }
    this.#pull(session, tenure);
  }

  async #check(session: Session): Promise<void> {
    try {
      this.#options.logger.debug("Performing health checks");
      if (!(await this.#consumer.exists())) session.over.abort();
    } catch (error) {
      this.#options.logger.debug(`Health check failed: ${errorText(error)}`);
    }
  }

  #pulls(inbox: string): Pulls {
    const { entry, source } = this.#options;
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${entry.stream}.${this.#consumer.name}`;
    return new Pulls({
      send: (request) => this.#publish(subject, request, inbox),
      window: windowSize,
      maxBytes: Math.max(maxLoad / 2, 2 * (source.connection.nats.info?.max_payload ?? 0)),
    });
  }

  #pull({ over, pulls }: Session, { held, writer }: Tenure): void {
    if (!over.signal.aborted && writer.load <= maxLoad) pulls.ask(held.size);
  }

  #received(message: Msg, session: Session, tenure: Tenure): void {
    session.lastHeard = this.#options.clock.now();
    const delivery = message.reply === undefined ? undefined : parseDelivery(message.reply);
    if (delivery === undefined) {
      if (isStatus(message)) this.#status(message, session, tenure);
      else this.#options.metrics.unparsed();
      return;
    }
    session.pulls.arrived();
    const turn = session.order?.next(delivery, message) ?? [];
    if (typeof turn === "string") {
      // Where somebody else receives from the same consumer there is no end of it.
      this.#troubles.warn("gap", `Gap detected ${turn}`);
      session.over.abort();
      return;
    }
    for (const next of turn) this.#take(next.message, next.delivery, session, tenure);
    this.#pull(session, tenure);
  }

  #status(message: Msg, session: Session, tenure: Tenure): void {
    const end = session.pulls.ended(message);
    if (end === "gone") session.over.abort();
    // Nobody answers for the consumer: it may have gone between two requests.
    else if (end === "doubtful") void this.#check(session);
    else this.#pull(session, tenure);
  }

  #take(message: Msg, delivery: Delivery, session: Session, tenure: Tenure): void {
    const { sequence, time } = delivery;
    const { reply = "" } = message;
    const known = tenure.held.get(sequence);
    if (known !== undefined) known.reply = reply;
    else if (tenure.seen.has(sequence)) this.#acknowledge(sequence, reply);
    else {
      tenure.seen.add(sequence);
      const held: Held = { reply };
      tenure.held.set(sequence, held);
      const finish = () => {
        tenure.held.delete(sequence);
        tenure.resume = Math.max(tenure.resume, sequence + 1);
        this.#acknowledge(sequence, held.reply);
        this.#pull(this.#session ?? session, tenure);
      };
      if (isCovered({ sequence, time }, tenure.last, tenure.source.made)) tenure.writer.add({ sequence, time, finish });
      else tenure.writer.add(this.#selection.look(message, delivery, finish));
    }
  }

  #acknowledge(sequence: number, reply: string): void {
    const order = this.#session?.order;
    // While the consumer is asked what is out, that is not to change: the message comes again, and is told then.
    if (order === undefined) return;
    order.acknowledged(sequence);
    this.#answer(reply);
  }

  /** Acknowledge a message, or say that it is being worked on. */
  #answer(reply: string, data: Uint8Array = new Uint8Array()): void {
    // Without a connection the consumer sends the message again, and is told then.
    if (this.#options.source.connection.server !== "") this.#publish(reply, data);
  }

  #publish(subject: string, data: Uint8Array, reply?: string): void {
    try {
      this.#options.source.connection.nats.publish(subject, data, reply === undefined ? {} : { reply });
    } catch (error) {
      this.#options.metrics.ackFailed();
      this.#options.logger.debug("Nothing can be sent to the source", { reason: errorText(error) });
    }
  }

  /** Let what is under way arrive, and leave the consumer as it was found. */
  async #finish(): Promise<void> {
    const { source, logger } = this.#options;
    if (this.#tenure === undefined) return;
    await this.#tenure.writer.drained(stopGrace);
    this.#endTenure();
    if (source.connection.server === "") return;
    try {
      await source.connection.flush();
      await this.#consumer.release();
    } catch (error) {
      logger.warn("The consumer could not be left as it was found", { reason: natsErrorText(error) });
    }
  }
}

/** What a last copy tells of where to go on; it may be one of a stream that is gone, or was put back to what it was. */
function resumeFrom({ made, last: end }: SourceState, last: Origin | undefined): number {
  return last !== undefined && last.time >= made && last.sequence <= end ? last.sequence + 1 : 0;
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
