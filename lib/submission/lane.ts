import type { Connection } from "../connector/mod.ts";
import { type Backoff, type Clock, errorText, isObject, type Logger, parseObject } from "../std/mod.ts";
import { nanosOf } from "./_time.ts";
import { messageHeaders, type SubmissionSigner } from "./headers.ts";
import { checkMessage } from "./message.ts";
import type { Spool, SpoolEntry } from "./spool.ts";

/** What a lane works with. */
export interface LaneOptions {
  spool: Spool;
  priority: number;
  connection: Pick<Connection, "nats" | "server" | "publish">;
  collective: string;
  signer: SubmissionSigner;
  /** Waiting times after failures. */
  waits: Backoff;
  /** Longest time without looking into the folder, in milliseconds. */
  pollInterval: number;
  clock: Clock;
  logger: Logger;
  /** Ends the lane. */
  signal: AbortSignal;
}

/** How long a stream may take to say that it has a message, in milliseconds. */
const ackTimeout = 2_000;

/** An empty folder is looked into less often: the system tells of new files. */
const idleFactor = 5;

/**
 * Sends the messages of one priority, in their order, one after another. A reliable message that fails holds back the
 * reliable ones after it until the folder is looked through again; while it waits for its next try, they pass it.
 * Nothing is tried, and no try is counted, while there
 * is no broker.
 */
export class Lane {
  readonly #options: LaneOptions;
  /** When files that failed are due, by name, in milliseconds: they are not read before. */
  readonly #due = new Map<string, number>();
  #isWoken = false;
  #endPause: (() => void) | undefined;
  /** Ends the waiting for an acknowledgement. */
  #endRequest: ((error: Error) => void) | undefined;

  /** @param options What the lane works with. */
  constructor(options: LaneOptions) {
    this.#options = options;
    const stop = () => {
      this.#endRequest?.(new Error("the server stops"));
      this.wake();
    };
    options.signal.addEventListener("abort", stop, { once: true });
  }

  /**
   * Look into the folder now.
   *
   * @param name The file that changed; those that wait are changed by the lane itself.
   */
  wake(name?: string): void {
    if (name !== undefined && this.#due.has(name)) return;
    this.#isWoken = true;
    this.#endPause?.();
  }

  /** Work until the signal aborts. Never rejects. */
  async run(): Promise<void> {
    const { signal, logger, pollInterval } = this.#options;
    while (!signal.aborted) {
      this.#isWoken = false;
      let wait = pollInterval;
      try {
        wait = await this.#round();
      } catch (error) {
        logger.error("The submission spool could not be looked through", { reason: errorText(error) });
      }
      await this.#pause(wait);
    }
  }

  /** Thousands of these come and go while nothing happens, so they leave as little behind as can be. */
  #pause(ms: number): Promise<void> | undefined {
    if (this.#isWoken) return undefined;
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      this.#endPause = () => {
        timer[Symbol.dispose]();
        resolve();
      };
    });
  }

  /** Send what is due; gives the milliseconds until something else is. */
  async #round(): Promise<number> {
    const { spool, priority, signal, clock, pollInterval, connection } = this.#options;
    if (connection.server === "") return pollInterval;
    const names = spool.names(priority);
    if (names.length === 0) return idleFactor * pollInterval;
    this.#forgetAllBut(names);
    let next = pollInterval;
    let isHeld = false;
    for (const name of names) {
      if (signal.aborted || connection.server === "") break;
      const wait = (this.#due.get(name) ?? 0) - clock.now();
      if (wait > 0) {
        next = Math.min(next, wait);
        continue;
      }
      const entry = this.#read(name);
      if (entry === undefined || this.#isEarly(name, entry) || (isHeld && entry.message.reliable)) continue;
      if (!(await this.#handle(name, entry))) isHeld = true;
    }
    return Math.max(next, 1);
  }

  #forgetAllBut(names: readonly string[]): void {
    if (this.#due.size === 0) return;
    const there = new Set(names);
    for (const name of this.#due.keys()) if (!there.has(name)) this.#due.delete(name);
  }

  /** Before a server was started anew, a message may have been told to wait. */
  #isEarly(name: string, { message }: SpoolEntry): boolean {
    const due = Number(message.nextTry / 1_000_000n);
    if (message.tries === 0 || due <= this.#options.clock.now()) return false;
    this.#due.set(name, due);
    return true;
  }

  /** A file that is no message is of no use to anybody. */
  #read(name: string): SpoolEntry | undefined {
    const { spool, priority, logger } = this.#options;
    try {
      return spool.read(priority, name);
    } catch (error) {
      logger.error("A message of the spool cannot be read and is removed", { file: name, reason: errorText(error) });
      this.#remove(`${spool.folderOf(priority)}/${name}`);
      return undefined;
    }
  }

  /** Gives false when the message stays, as sending it failed. */
  async #handle(name: string, entry: SpoolEntry): Promise<boolean> {
    const { clock, logger } = this.#options;
    const { message, path } = entry;
    try {
      checkMessage(message, clock.now());
      if (message.tries >= message.maxTries) throw new Error("message reached maximum tries");
    } catch (error) {
      logger.warn("A message is given up", { id: message.id, subject: message.subject, reason: errorText(error) });
      this.#remove(path);
      return true;
    }
    if (message.reliable) return this.#sendReliably(name, entry);
    this.#send(entry);
    return true;
  }

  #send({ message, path }: SpoolEntry): void {
    const { connection, signer, logger } = this.#options;
    try {
      const headers = messageHeaders(message, signer);
      connection.publish(this.#subjectOf(message.subject), message.payload, { headers });
    } catch (error) {
      const { id, subject } = message;
      logger.error("A message could not be published and is dropped", { id, subject, reason: errorText(error) });
    }
    this.#remove(path);
  }

  async #sendReliably(name: string, entry: SpoolEntry): Promise<boolean> {
    const { connection, signal } = this.#options;
    try {
      await this.#publishAcknowledged(entry);
    } catch (error) {
      // A lost broker says nothing about the message.
      if (!signal.aborted && connection.server !== "") this.#postpone(name, entry, errorText(error));
      return false;
    }
    this.#due.delete(name);
    this.#remove(entry.path);
    return true;
  }

  async #publishAcknowledged({ message }: SpoolEntry): Promise<void> {
    const { connection, signer } = this.#options;
    const headers = messageHeaders(message, signer);
    const subject = this.#subjectOf(message.subject);
    const { data } = await new Promise<{ data: Uint8Array }>((resolve, reject) => {
      this.#endRequest = reject;
      connection.nats.request(subject, message.payload, { timeout: ackTimeout, headers }).then(resolve, reject);
    });
    const { stream, error } = parseObject(data);
    if (isObject(error)) throw new Error(`the stream refuses it: ${String(error.description ?? error.code)}`);
    if (typeof stream !== "string") throw new Error("what answers is no stream");
  }

  #postpone(name: string, entry: SpoolEntry, reason: string): void {
    const { spool, clock, logger, waits } = this.#options;
    const { message, path } = entry;
    const { id, subject, maxTries } = message;
    const tries = message.tries + 1;
    if (tries >= maxTries) {
      logger.error("A reliable message is given up", { id, subject, tries, reason });
      this.#remove(path);
      return;
    }
    const due = clock.now() + waits.delay(tries);
    this.#due.set(name, due);
    logger.warn("A reliable message could not be published yet", { id, subject, tries, reason });
    try {
      spool.replace(entry, { ...message, tries, nextTry: nanosOf(due) });
    } catch (error) {
      logger.error("The tries of a message could not be written down", { id, reason: errorText(error) });
    }
  }

  #remove(path: string): void {
    try {
      this.#options.spool.remove(path);
    } catch (error) {
      this.#options.logger.error("A message could not be removed", { file: path, reason: errorText(error) });
    }
  }

  #subjectOf(subject: string): string {
    return `${this.#options.collective}.submission.in.${subject}`;
  }
}
