import type { Msg, MsgHdrs, NatsConnection, Subscription } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { backoff, type Clock, errorText, type JsonObject, type Logger, twentySecondSteps } from "../std/mod.ts";
import { readAnswer, takesAnything } from "./_answer.ts";
import { natsErrorText } from "./_api.ts";
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
  /** Find the last copy in the target behind a sequence of the target. */
  lastCopy: (after: number) => Promise<Origin | undefined>;
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
const windowBytes = 8 * 1024 * 1024;
/** Without an acknowledgement for this long, what was sent counts as lost until the target says otherwise. */
const silence = 3_000;
/** How long the target's end has to stay where it is before it is believed, while what was sent may still arrive. */
const settling = 1_000;

/** A passenger's place in the queue. */
interface Place {
  passenger: Passenger;
  state: "waiting" | "sent" | "stored" | "failed";
  tries: number;
  error: string;
  isPermanent: boolean;
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
  readonly #limit: number;
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
  /** The target's sequence of the last copy that it acknowledged. */
  #stored = 0;
  /** The server process that the copies in question were sent to, and its address. */
  #server = { id: "", address: "" };
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: TargetWriterOptions) {
    this.#options = options;
    this.#inbox = options.inbox;
    this.#answers = options.connection.nats.subscribe(`${this.#inbox}.*`, {
      callback: (_error, message) => this.#answered(message),
    });
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
    this.#queue.push({ passenger, state, tries: 0, error: "", isPermanent: false });
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
    const { nats } = this.#options.connection;
    const size = copy.data.length;
    const isDelicate = copy.isDelicate || this.#isFirst || place.tries > 0 || size > this.#maxSize;
    if (isDelicate && this.#sent.size > 0) return false;
    if (this.#sent.size === 0) this.#lastAnswer = this.#options.clock.now();
    const ticket = ++this.#ticket;
    place.state = "sent";
    this.#sent.set(ticket, place);
    this.#bytes += size;
    this.#isDelicateOut = isDelicate;
    if (this.#sent.size === 1) this.#server = serverOf(nats);
    try {
      if (copy.problem !== undefined) throw new Error(copy.problem);
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
    if (answer.sequence > this.#stored) this.#stored = answer.sequence;
    place.state = "stored";
    this.#isFirst = false;
    this.#finish();
    this.#send();
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
      head.passenger.finish(head.isPermanent);
    }
    if (this.#queue.length > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #checkSilence(): void {
    const isSilent = this.#sent.size > 0 && this.#options.clock.now() - this.#lastAnswer > silence;
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
    const begin = clock.now();
    // While the connection stands, answers are on their way.
    const isHopeful = () => !this.#isAstray && this.#sent.size > 0 && clock.now() - begin < silence;
    while (isHopeful() && !this.#isClosed()) await clock.sleep(10, this.#stopping.signal);
    while (connection.server === "" && !this.#isClosed()) await clock.sleep(10, this.#stopping.signal);
    if (this.#sent.size === 0 && !this.#isAstray) return;
    this.#isAstray = false;
    const questioned = [...this.#sent.values()];
    const last = await this.#lastCopy(questioned.length > 0);
    this.#sent.clear();
    this.#bytes = 0;
    this.#isDelicateOut = false;
    for (const place of questioned) {
      if (place.state === "sent") place.state = isCovered(place.passenger, last) ? "stored" : "waiting";
    }
    const stored = questioned.filter(({ state }) => state === "stored").length;
    const fields = { stored, lost: questioned.length - stored };
    if (questioned.length > 0) this.#options.logger.info("It is known what became of unacknowledged messages", fields);
  }

  /**
   * The last copy, once it can be said. A server that lives on may still have bytes of the old connection before it, or
   * on their way to its cluster: the end is believed when it has not moved for a while. One that was started anew has
   * nothing left.
   */
  async #lastCopy(isQuestion: boolean): Promise<Origin | undefined> {
    const { clock, connection, lastCopy, logger } = this.#options;
    for (let attempt = 0; !this.#isClosed(); attempt++) {
      try {
        let last = await lastCopy(this.#stored);
        while (isQuestion && !hasRestarted(connection.nats, this.#server) && !this.#isClosed()) {
          await clock.sleep(settling, this.#stopping.signal);
          const next = await lastCopy(this.#stored);
          if (next?.sequence === last?.sequence) break;
          last = next;
        }
        return last;
      } catch (error) {
        const fields = { reason: natsErrorText(error) };
        if (attempt === 5) logger.warn("The end of the target stream cannot be read", fields);
        else logger.debug("The end of the target stream cannot be read yet", fields);
      }
      await clock.sleep(Math.min(100 * 2 ** attempt, 5_000), this.#stopping.signal);
    }
    return undefined;
  }

  #isClosed(): boolean {
    return this.#mode === "closed";
  }
}

function serverOf(nats: NatsConnection): { id: string; address: string } {
  return { id: nats.info?.server_id ?? "", address: nats.getServer() };
}

/** Whether another process answers where the one was that is meant. */
function hasRestarted(nats: NatsConnection, before: { id: string; address: string }): boolean {
  const { id, address } = serverOf(nats);
  return address === before.address && id !== before.id;
}
