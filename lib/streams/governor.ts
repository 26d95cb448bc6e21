import { jetstreamManager } from "@nats-io/jetstream";
import type { Connection } from "../connector/mod.ts";
import { backoff, type Clock, encodeUtf8, errorText, isObject, type JsonObject, parseObject } from "../std/mod.ts";

/** Subject on which slots of a governor are asked for. */
export function governorSubject(collective: string, name: string): string {
  checkGovernorName(name);
  return `${collective}.governor.${name}`;
}

/** Stream that holds the slots of a governor, a message each. */
export function governorStreamName(name: string): string {
  checkGovernorName(name);
  return `GOVERNOR_${name}`;
}

/** Somebody could not get a slot. */
export class GovernorError extends Error {
  override readonly name = "GovernorError";
  /** Whether every slot was taken until the time was up; else the governor could not be asked at all. */
  readonly isFull: boolean;

  constructor(message: string, options: ErrorOptions & { isFull?: boolean } = {}) {
    super(message, options);
    this.isFull = options.isFull ?? false;
  }
}

/** How {@link enterGovernor} asks. */
export interface EnterOptions {
  connection: Pick<Connection, "nats">;
  /** Name of the governor, without the stream's prefix. */
  name: string;
  collective: string;
  /** Who takes the slot: what `choria governor view` shows. */
  holder: string;
  /** Longest wait for a slot, in milliseconds. */
  timeout: number;
  /**
   * Milliseconds between tries.
   * @default 250 at first, growing to 5,000
   */
  interval?: number;
  clock: Clock;
  /** Ends the wait. */
  signal?: AbortSignal;
}

/** A slot that is ours. */
export interface GovernorSlot {
  readonly sequence: number;
  /** Give it back. Idempotent; where the broker is away the slot becomes free when it expires. */
  leave(): Promise<void>;
}

const waits = backoff([250, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000]);
const requestTimeout = 1_000;
/** `err_code` of JetStream: the stream holds as many messages as it may. */
const streamFull = 10_077;

/**
 * Wait for a slot of a governor. While all are taken it is asked again; anything else that goes wrong ends the wait.
 *
 * @throws {GovernorError} saying whether the governor was full or could not be asked.
 */
export async function enterGovernor(options: EnterOptions): Promise<GovernorSlot> {
  const { clock, timeout, signal, name } = options;
  const end = clock.now() + timeout;
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted) throw new GovernorError(`The wait for governor ${name} was called off`);
    const sequence = await campaign(options);
    if (sequence !== undefined) return new Slot(options, sequence);
    const wait = options.interval ?? waits.delay(attempt);
    const left = end - clock.now();
    if (left <= 0) throw new GovernorError(`Governor ${name} was full for ${timeout / 1_000} s`, { isFull: true });
    await clock.sleep(Math.min(wait, left), signal);
  }
}

/** Ask once; gives the slot, or undefined where all are taken. */
async function campaign({ connection, collective, name, holder }: EnterOptions): Promise<number | undefined> {
  const subject = governorSubject(collective, name);
  let answer: JsonObject;
  try {
    answer = parseObject(
      (await connection.nats.request(subject, encodeUtf8(holder), { timeout: requestTimeout })).data,
    );
  } catch (error) {
    throw new GovernorError(`Cannot ask governor ${name} on ${subject}: ${errorText(error)}`, { cause: error });
  }
  if (typeof answer.seq === "number" && answer.seq > 0) return answer.seq;
  if (isObject(answer.error) && answer.error.err_code === streamFull) return undefined;
  throw new GovernorError(`Cannot enter governor ${name}: ${refusal(answer)}`);
}

function refusal({ error }: JsonObject): string {
  return isObject(error) && typeof error.description === "string" ? error.description : "the answer holds no sequence";
}

class Slot implements GovernorSlot {
  readonly sequence: number;
  readonly #options: EnterOptions;
  #leaving: Promise<void> | undefined;

  constructor(options: EnterOptions, sequence: number) {
    this.#options = options;
    this.sequence = sequence;
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    const { connection, name } = this.#options;
    try {
      const manager = await jetstreamManager(connection.nats, { checkAPI: false, timeout: requestTimeout });
      await manager.streams.deleteMessage(governorStreamName(name), this.sequence, false);
    } catch {
      // It has expired, was evicted, or will expire.
    }
  }
}

function checkGovernorName(name: string): void {
  if (/^[a-zA-Z0-9_-]{1,200}$/.test(name)) return;
  throw new GovernorError(`Cannot use the governor name "${name}": letters, digits, - and _ make a name`);
}
