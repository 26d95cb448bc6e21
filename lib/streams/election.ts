import { headers } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { type Clock, encodeUtf8, errorText, isObject, type JsonObject, type Logger, parseObject } from "../std/mod.ts";

/** Bucket in which Choria holds its elections. */
const defaultBucket = "CHORIA_LEADER_ELECTION";
const expectedSequence = "Nats-Expected-Last-Subject-Sequence";
/** `err_code` of JetStream: somebody else has written since. */
const wrongLastSequence = new Set([10_071, 10_164]);

/** How {@link startElection} takes part. */
export interface ElectionOptions {
  connection: Pick<Connection, "nats">;
  /** What is led: the key in the bucket. */
  name: string;
  /** Who stands for election: the key's value. */
  identity: string;
  /** @default "CHORIA_LEADER_ELECTION" */
  bucket?: string;
  /**
   * What stands before the subjects where another account lends its streams, with a final dot; the provisioning
   * account has `choria.streams.`.
   */
  prefix?: string;
  /** Leadership is ours from now on. */
  onWon: () => void;
  /** Leadership is, or may be, somebody else's from now on. */
  onLost: () => void;
  /**
   * A leader that stops deletes its claim, so that the next one need not wait until the bucket forgets it; and claims
   * that others deleted are taken at once. Needs leave to read messages of the bucket.
   * @default false
   */
  resigns?: boolean;
  /** Told of each round: as what it was fought, and how long until the next, in milliseconds. */
  onRound?: (state: "candidate" | "leader", wait: number) => void;
  clock: Clock;
  logger: Logger;
  /** Gives numbers from 0 up to 1; for tests. */
  random?: () => number;
}

/** Taking part in an election. */
export interface Election extends AsyncDisposable {
  readonly isLeader: boolean;
  /** Stand no longer. A leader's place becomes free when the bucket forgets it, or where it resigns, now. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Stand for election until stopped. Whoever first writes a key holds it by writing it again before the bucket's age
 * limit; a leader that cannot renew its claim in time gives up before anybody else can win.
 */
export function startElection(options: ElectionOptions): Election {
  return new Candidate(options);
}

class Candidate implements Election {
  isLeader = false;
  readonly #options: ElectionOptions;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  readonly #random: () => number;
  /** Sequence of our last claim; 0 where we have none. */
  #sequence = 0;
  #claimedAt = 0;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    const ttl = await this.#bucketTtl();
    while (!this.#stopping.signal.aborted) {
      await this.#claim(ttl);
      const wait = this.#cadence(ttl);
      this.#options.onRound?.(this.isLeader ? "leader" : "candidate", wait);
      await this.#sleep(wait);
    }
    if (this.#options.resigns && this.isLeader) await this.#resign();
    this.#lose("it stands no longer");
  }

  async #claim(ttl: number): Promise<void> {
    const { clock, logger, name } = this.#options;
    const now = clock.now();
    try {
      const isSecond = this.#sequence > 0;
      this.#sequence = await this.#write(ttl);
      this.#claimedAt = now;
      // One write may be a key that was just expiring; the second proves that it is held.
      if (isSecond) this.#win();
    } catch (error) {
      const isOver = now - this.#claimedAt > ttl * 0.75;
      if (error instanceof ClaimedByOther) this.#sequence = 0;
      if (error instanceof ClaimedByOther || isOver) this.#lose(errorText(error));
      else logger.warn("The claim of leadership could not be renewed", { election: name, reason: errorText(error) });
    }
  }

  /** Write the key where nobody else has since; gives the new sequence. */
  async #write(ttl: number): Promise<number> {
    try {
      return await this.#writeOver(this.#sequence, ttl);
    } catch (error) {
      const isTaken = error instanceof ClaimedByOther && this.#sequence === 0;
      const deleted = isTaken && this.#options.resigns ? await this.#deletedAt(ttl) : 0;
      if (deleted === 0) throw error;
      return await this.#writeOver(deleted, ttl);
    }
  }

  /** The sequence of the mark that a claim was deleted; 0 where it was not. */
  async #deletedAt(ttl: number): Promise<number> {
    const { connection, name, bucket = defaultBucket, prefix } = this.#options;
    const request = JSON.stringify({ last_by_subj: `$KV.${bucket}.${name}` });
    const subject = `${prefix ?? "$JS.API."}STREAM.MSG.GET.KV_${bucket}`;
    const answer = await connection.nats.request(subject, request, { timeout: Math.min(2_000, ttl / 2) });
    const { message } = parseObject(answer.data);
    if (!isObject(message) || typeof message.hdrs !== "string" || typeof message.seq !== "number") return 0;
    return /KV-Operation: (DEL|PURGE)/.test(Buffer.from(message.hdrs, "base64").toString("latin1")) ? message.seq : 0;
  }

  async #resign(): Promise<void> {
    const { connection, name, bucket = defaultBucket, prefix = "" } = this.#options;
    const header = headers();
    header.set(expectedSequence, String(this.#sequence));
    header.set("KV-Operation", "DEL");
    try {
      await connection.nats.request(`${prefix}$KV.${bucket}.${name}`, "", { timeout: 1_000, headers: header });
    } catch {
      // The bucket forgets the claim by itself.
    }
  }

  async #writeOver(sequence: number, ttl: number): Promise<number> {
    const { connection, name, identity, bucket = defaultBucket, prefix = "" } = this.#options;
    const header = headers();
    header.set(expectedSequence, String(sequence));
    const timeout = Math.min(2_000, ttl / 2);
    const message = await connection.nats.request(`${prefix}$KV.${bucket}.${name}`, encodeUtf8(identity), {
      timeout,
      headers: header,
    });
    const answer = parseObject(message.data);
    checkError(answer);
    if (typeof answer.seq === "number") return answer.seq;
    throw new Error("the bucket answered without a sequence");
  }

  /** Wait for the bucket; gives its age limit in milliseconds. */
  async #bucketTtl(): Promise<number> {
    const { connection, bucket = defaultBucket, prefix, logger } = this.#options;
    const subject = `${prefix ?? "$JS.API."}STREAM.INFO.KV_${bucket}`;
    for (let attempt = 0; !this.#stopping.signal.aborted; attempt++) {
      try {
        const answer = parseObject((await connection.nats.request(subject, "", { timeout: 2_000 })).data);
        checkError(answer);
        return ttlOf(answer);
      } catch (error) {
        const fields = { bucket, reason: errorText(error) };
        if (attempt === 0) logger.info("The bucket of elections cannot be used yet", fields);
        else logger.warn("The bucket of elections cannot be used", fields);
      }
      await this.#sleep(Math.min(500 * 2 ** attempt, 10_000));
    }
    return 60_000;
  }

  #cadence(ttl: number): number {
    if (this.#sequence > 0 && !this.isLeader) return Math.min(200, ttl / 5);
    return this.isLeader ? Math.min(ttl / 5, 2_000) : Math.min(ttl / 3, 5_000);
  }

  #sleep(ms: number): Promise<void> {
    return this.#options.clock.sleep(ms * (0.5 + this.#random()), this.#stopping.signal);
  }

  #win(): void {
    if (this.isLeader) return;
    this.isLeader = true;
    this.#tell("onWon", "Became leader after winning election");
  }

  #lose(reason: string): void {
    if (!this.isLeader) return;
    this.isLeader = false;
    this.#sequence = 0;
    this.#tell("onLost", "Lost leadership", reason);
  }

  #tell(callback: "onWon" | "onLost", message: string, reason?: string): void {
    const { logger, name, identity } = this.#options;
    logger.warn(message, { election: name, identity, ...(reason === undefined ? {} : { reason }) });
    try {
      this.#options[callback]();
    } catch (error) {
      logger.error("A change of leadership could not be acted on", { election: name, reason: errorText(error) });
    }
  }
}

/** Somebody else holds the key. */
class ClaimedByOther extends Error {
  override readonly name = "ClaimedByOther";
}

function checkError({ error }: JsonObject): void {
  if (!isObject(error)) return;
  const text = typeof error.description === "string" ? error.description : "the bucket refused";
  if (typeof error.err_code === "number" && wrongLastSequence.has(error.err_code)) throw new ClaimedByOther(text);
  throw new Error(text);
}

function ttlOf({ config }: JsonObject): number {
  const nanos = isObject(config) && typeof config.max_age === "number" ? config.max_age : 0;
  const ttl = nanos / 1e6;
  if (ttl >= 1_000 && ttl <= 3_600_000) return ttl;
  throw new Error("bucket TTL should be between 1 second and 1 hour");
}
