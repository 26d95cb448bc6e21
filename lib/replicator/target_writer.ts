import type { Msg, MsgHdrs, Subscription } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { backoff, type Clock, errorText, type JsonObject, type Logger, twentySecondSteps } from "../std/mod.ts";
import { readAnswer, takesAnything } from "./_answer.ts";
import { TargetEnd } from "./_target_end.ts";
import { Waiting } from "./_waiting.ts";
import type { Origin } from "./origin.ts";
import { isCovered } from "./position.ts";

/** A message on its way to the target, or one that is only to be finished in its turn. */
export interface Passenger {
  /** Sequence in the source, and when the source stored it. */
  sequence: number;
  time: number;
  /** What is published; undefined for a message that is not copied. */
  copy?: {
    subject: string;
    data: Uint8Array;
    headers: MsgHdrs;
    /** The target may refuse it where it takes others. */
    isDelicate: boolean;
    /** Why it cannot be copied at all. */
    problem?: string;
  };
  /**
   * Called once, in the order of the messages, when the message is stored, needs no copy, or is left out.
   * @param isRefused The target refuses it for what it is.
   */
  finish: (isRefused: boolean) => void;
}

/** What {@link TargetWriter} needs. */
export interface TargetWriterOptions {
  connection: Connection;
  /** Where answers go: a subject of our own. */
  inbox: string;
  /** What is known of the target stream; undefined when it cannot be looked at. */
  stream: JsonObject | undefined;
  /** When the source stream was made, in Unix milliseconds. */
  sourceMade: number;
  /** Find the last copy in the target behind a sequence of the target. */
  lastCopy: (after: number) => Promise<Origin | undefined>;
  /** Whether the target has the copy of a message of the source between two sequences of the target. */
  holdsCopy: (sequence: number, after: number, before: number) => Promise<boolean>;
  /** What to do about messages that the target refuses for what they are. */
  refused: "wait" | "skip";
  /** A try to store a message failed. */
  onFailure: () => void;
  clock: Clock;
  logger: Logger;
}

/** Most messages that are sent and not yet acknowledged. */
export const windowSize = 1_000;
/** Most bytes of them. */
const windowBytes = 4 * 1024 * 1024;
/** Without an acknowledgement for this long, what was sent counts as lost until the target says otherwise. */
const silence = 3_000;

/** A passenger's place in the queue. */
interface Place {
  passenger: Passenger;
  state: "waiting" | "sent" | "stored" | "failed";
  tries: number;
  error: string;
  isPermanent: boolean;
  /** Number of the sending; 0 before the first. */
  ticket: number;
  /** Where the target has it, as far as it said; 0 where it did not. */
  stored: number;
}

/**
 * Stores messages in the target, each once and in their order, many at a time.
 *
 * One connection carries them in order, and a server stores what comes over one connection in order, so that after
 * anything goes wrong the target holds some first part of what was sent, and only the length of that part is in
 * question. It is read from the target itself: the last copy says in its header which message of the source it is.
 * Nothing is sent again before that is known. Servers could check the order as well, by headers with the sequence they
 * should find, but such headers stay in the stored message, where they make the next replicator down the line fail.
 *
 * What a server passes over in silence, as it does a subject that we may not publish to, is looked for between its
 * neighbours in the target.
 *
 * What could be refused alone, in the midst of others that are stored, is sent alone: messages with headers that the
 * server acts upon, and everything where the target is a stream that refuses messages when it is full.
 */
export class TargetWriter {
  readonly #options: TargetWriterOptions;
  readonly #inbox: string;
  readonly #answers: Subscription;
  readonly #queue = new Waiting<Place>();
  readonly #watch: Disposable;
  readonly #stopping = new AbortController();
  readonly #end: TargetEnd;
  #limit: number;
  readonly #maxSize: number;
  readonly #waits = backoff(twentySecondSteps);
  /** Number of the place that an answer's subject ends in. */
  readonly #sent = new Map<number, Place>();
  #ticket = 0;
  #bytes = 0;
  #isDelicateOut = false;
  /** Bytes of all passengers. */
  #load = 0;
  /** The connection was lost since the target was last asked how far it came. */
  #isAstray = false;
  /** The next message shows whether the stream takes messages again; until it is stored no other is sent. */
  #isFirst = true;
  #mode: "open" | "held" | "closed" = "open";
  #lastAnswer = 0;
  /** The latest sending that was acknowledged. */
  #answeredTicket = 0;
  /** Where the target has the last copy that is finished; 0 where that is not known. */
  #finished = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: TargetWriterOptions) {
    this.#options = options;
    this.#inbox = options.inbox;
    this.#answers = options.connection.nats.subscribe(`${this.#inbox}.*`, {
      callback: (_error, message) => this.#answered(message),
    });
    this.#end = new TargetEnd({ ...options, signal: this.#stopping.signal });
    this.#limit = takesAnything(options.stream) ? windowSize : 1;
    const size = options.stream?.max_msg_size;
    this.#maxSize = typeof size === "number" && size > 0 ? size : Number.MAX_SAFE_INTEGER;
    this.#watch = options.clock.every(500, () => this.#checkSilence());
  }

  /** How many bytes the passengers hold. */
  get load(): number {
    return this.#load;
  }

  /** Take a message. */
  add(passenger: Passenger): void {
    if (this.#mode === "closed") return;
    const state = passenger.copy === undefined ? "stored" : "waiting";
    this.#load += passenger.copy?.data.length ?? 0;
    this.#queue.push({ passenger, state, tries: 0, error: "", isPermanent: false, ticket: 0, stored: 0 });
    if (state === "stored") this.#finish();
    else this.#send();
  }

  /** The connection is lost: nothing is sent until it is back and the target has told how far it came. */
  disconnected(): void {
    this.#isAstray = true;
    if (this.#mode === "open") this.#hold();
  }

  /** Resolves when every passenger is finished, or after `ms` milliseconds; sooner where the target takes none. */
  async drained(ms: number): Promise<void> {
    if (this.#queue.length === 0) return;
    this.#idle ??= Promise.withResolvers();
    const waiting = new AbortController();
    await Promise.race([
      this.#idle.promise,
      this.#options.clock.sleep(this.#mode === "open" ? ms : ms / 5, waiting.signal),
    ]);
    waiting.abort();
  }

  /** Forget all passengers and send nothing more. Idempotent. */
  close(): void {
    this.#mode = "closed";
    this.#stopping.abort();
    this.#watch[Symbol.dispose]();
    if (!this.#options.connection.nats.isClosed()) this.#answers.unsubscribe();
    this.#queue.clear();
    this.#sent.clear();
    this.#load = 0;
    this.#idle?.resolve();
  }

  #send(): void {
    while (this.#mode === "open" && this.#sent.size < this.#limit && this.#bytes < windowBytes) {
      const place = this.#queue.next;
      if (place === undefined || this.#isDelicateOut) return;
      if (place.state === "waiting" && !this.#sendOne(place)) return;
      if (this.#mode === "open") this.#queue.advance();
    }
  }

  /** False when the message has to wait until it can be sent alone. */
  #sendOne(place: Place): boolean {
    const { copy } = place.passenger;
    if (copy === undefined) return true;
    const size = copy.data.length;
    const isDelicate = copy.isDelicate || this.#isFirst || place.tries > 0 || size > this.#maxSize;
    if (isDelicate && this.#sent.size > 0) return false;
    if (this.#sent.size === 0) this.#lastAnswer = this.#options.clock.now();
    const ticket = ++this.#ticket;
    place.state = "sent";
    place.ticket = ticket;
    this.#sent.set(ticket, place);
    this.#bytes += size;
    this.#isDelicateOut = isDelicate;
    if (this.#sent.size === 1) this.#end.sent();
    try {
      if (copy.problem !== undefined) throw new Error(copy.problem);
      const { nats } = this.#options.connection;
      nats.publish(copy.subject, copy.data, { reply: `${this.#inbox}.${ticket}`, headers: copy.headers });
    } catch (error) {
      // The client does not send what the server would end the connection for.
      this.#settle(ticket, place);
      this.#fail(place, errorText(error), true);
    }
    return true;
  }

  #answered(message: Msg): void {
    const ticket = Number(message.subject.slice(this.#inbox.length + 1));
    const place = this.#sent.get(ticket);
    if (place === undefined) return;
    this.#lastAnswer = this.#options.clock.now();
    this.#settle(ticket, place);
    if (message.headers?.code === 503) {
      this.#fail(place, "nats: no responders available for request", false);
      return;
    }
    const answer = readAnswer(message.data);
    if (answer.error !== undefined) {
      this.#fail(place, answer.error, answer.isPermanent);
      return;
    }
    if (this.#isElsewhere(answer.stream)) this.#limit = 1;
    else {
      this.#end.stored(answer.sequence);
      place.stored = answer.sequence;
      this.#answeredTicket = Math.max(this.#answeredTicket, ticket);
    }
    place.state = "stored";
    this.#isFirst = false;
    this.#finish();
    this.#send();
  }

  /** Whether a copy went to another stream than the one in which copies are looked for. */
  #isElsewhere(stream: string): boolean {
    const { stream: target, logger } = this.#options;
    const isElsewhere = target !== undefined && stream !== "" && stream !== target.name;
    if (isElsewhere && this.#limit > 1) {
      const text =
        "Copies go to another stream than the target: they are made one at a time, and a retry may store one twice";
      logger.warn(text, { stream });
    }
    return isElsewhere;
  }

  #settle(ticket: number, { passenger }: Place): void {
    this.#sent.delete(ticket);
    this.#bytes -= passenger.copy?.data.length ?? 0;
    if (this.#sent.size === 0) this.#isDelicateOut = false;
  }

  #fail(place: Place, error: string, isPermanent: boolean): void {
    Object.assign(place, { state: "failed", error, isPermanent, tries: place.tries + 1 });
    this.#options.onFailure();
    if (this.#mode === "open") this.#hold();
  }

  /** Tell of those at the head that are done. */
  #finish(): void {
    for (;;) {
      const head = this.#queue.head;
      if (head?.state !== "stored") break;
      this.#queue.shift();
      this.#load -= head.passenger.copy?.data.length ?? 0;
      this.#finished = head.stored || this.#finished;
      head.passenger.finish(head.isPermanent);
    }
    if (this.#queue.length > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #checkSilence(): void {
    const isSilent = this.#sent.size > 0 && Math.abs(this.#options.clock.now() - this.#lastAnswer) > silence;
    if (isSilent && this.#mode === "open") {
      this.#options.onFailure();
      this.#options.logger.warn("The target does not acknowledge what was sent", { messages: this.#sent.size });
      this.#hold();
    }
  }

  #hold(): void {
    this.#mode = "held";
    void this.#recover();
  }

  /** Find out what became of everything that was sent, wait where something was refused, and go on. */
  async #recover(): Promise<void> {
    do {
      await this.#outcomes();
      await this.#wait();
    } while (this.#isAstray && !this.#isClosed());
    if (this.#isClosed()) return;
    for (const place of this.#queue) if (place.state === "failed") place.state = "waiting";
    this.#queue.rewind();
    this.#isFirst = true;
    this.#mode = "open";
    this.#finish();
    this.#send();
  }

  async #wait(): Promise<void> {
    const { clock, logger } = this.#options;
    const failed = this.#queue.find(({ state }) => state === "failed");
    if (failed === undefined || this.#isClosed() || this.#leavesOut(failed)) return;
    const wait = this.#waits.delay(failed.tries);
    const { sequence } = failed.passenger;
    logger.error(`Handling msg ${sequence} failed on try ${failed.tries}, backing off for ${wait}ms: ${failed.error}`);
    await clock.sleep(wait, this.#stopping.signal);
  }

  #leavesOut(place: Place): boolean {
    if (!place.isPermanent || this.#options.refused !== "skip") {
      place.isPermanent = false;
      return false;
    }
    this.#options.logger.error(`Leaving out msg ${place.passenger.sequence}, which the target refuses: ${place.error}`);
    place.state = "stored";
    return true;
  }

  /** Wait until nothing that was sent is in question any more. */
  async #outcomes(): Promise<void> {
    const { clock, connection } = this.#options;
    // While the connection stands, answers are on their way.
    const isHopeful = () => !this.#isAstray && this.#sent.size > 0 && !this.#isClosed();
    for (let waited = 0; isHopeful() && waited < silence; waited += 10) await clock.sleep(10, this.#stopping.signal);
    while (connection.server === "" && !this.#isClosed()) await clock.sleep(10, this.#stopping.signal);
    if (this.#sent.size === 0 && !this.#isAstray) return;
    this.#isAstray = false;
    const questioned = [...this.#sent.values()];
    const last = await this.#end.read(questioned.length > 0);
    await this.#lookForSkipped();
    if (this.#isClosed()) return;
    this.#sent.clear();
    this.#bytes = 0;
    this.#isDelicateOut = false;
    for (const place of questioned) {
      if (place.state !== "sent") continue;
      place.state = isCovered(place.passenger, last, this.#options.sourceMade) ? "stored" : "waiting";
    }
    const stored = questioned.filter(({ state }) => state === "stored").length;
    const fields = { stored, lost: questioned.length - stored };
    if (questioned.length > 0) this.#options.logger.info("It is known what became of unacknowledged messages", fields);
  }

  /** A message without an answer, where a later one has its own, was lost alone: the end of the target tells nothing of it. */
  async #lookForSkipped(): Promise<void> {
    const places = [...this.#queue];
    let after = this.#finished;
    for (const [index, place] of places.entries()) {
      if (place.stored > 0) after = place.stored;
      if (place.state !== "sent" || place.ticket > this.#answeredTicket) continue;
      const before = places.slice(index).find(({ stored }) => stored > after)?.stored ?? 0;
      const { sequence } = place.passenger;
      const isThere = await this.#end.insist(() => this.#options.holdsCopy(sequence, after, before));
      if (isThere === true) place.state = "stored";
      else this.#fail(place, "the target acknowledges later messages, but not this one", false);
    }
  }

  #isClosed(): boolean {
    return this.#mode === "closed";
  }
}
