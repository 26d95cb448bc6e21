import type { Delivery } from "./delivery.ts";
import type { Preparation } from "./source_consumer.ts";

/** Since when messages that are out have not come again, by the clock of `performance`; 0 where they have. */
export interface Doubts {
  since: number;
}

/**
 * How long it is insisted on that what is out comes again, in milliseconds: longer than any request stands by which
 * somebody else, such as a connection that is gone, gets messages in our place.
 */
const patience = 30_000;

/** A message and what its delivery tells of it. */
interface Delivered<T> {
  delivery: Delivery;
  message: T;
}

/**
 * Brings deliveries into the order of the stream, and sees when one is missing. They are numbered, so that a gap shows.
 * What is out comes again before anything new, but in no certain order, and where something new comes first, somebody
 * else was given what was out: such messages are kept until all of them are there.
 */
export class DeliveryOrder<T> {
  readonly #outstanding: number;
  readonly #doubts: Doubts;
  /** Messages of those that were out that came again, or were acknowledged meanwhile. */
  readonly #accounted = new Set<number>();
  #kept: Delivered<T>[] = [];
  #delivered: number;
  #isSettled: boolean;

  constructor({ delivered, outstanding }: Preparation, doubts: Doubts) {
    this.#delivered = delivered;
    this.#outstanding = outstanding;
    this.#doubts = doubts;
    this.#isSettled = outstanding === 0;
  }

  /** Messages wait for others that were out. */
  get isWaiting(): boolean {
    return this.#kept.length > 0;
  }

  /** A message that was out, or is now, is acknowledged. */
  acknowledged(sequence: number): void {
    if (!this.#isSettled) this.#accounted.add(sequence);
  }

  /**
   * Take a delivery.
   * @returns the messages whose turn it is, or what is missing before this one: `A -> B`, or how many.
   */
  next(delivery: Delivery, message: T): Delivered<T>[] | string {
    const { consumerSequence, deliveries, sequence } = delivery;
    const before = this.#delivered;
    this.#delivered = consumerSequence;
    if (consumerSequence !== before + 1) return `${before} -> ${consumerSequence}`;
    if (this.#isSettled) return [{ delivery, message }];
    this.#kept.push({ delivery, message });
    const isNew = deliveries === 1;
    if (!isNew) this.#accounted.add(sequence);
    const missing = this.#outstanding - this.#accounted.size;
    if (missing > 0 && isNew && this.#insists()) return `of ${missing} messages that were out`;
    return missing > 0 && !isNew ? [] : this.#settle();
  }

  #insists(): boolean {
    const now = performance.now();
    if (this.#doubts.since === 0) this.#doubts.since = now;
    return now - this.#doubts.since < patience;
  }

  #settle(): Delivered<T>[] {
    const kept = this.#kept.sort((a, b) => a.delivery.sequence - b.delivery.sequence);
    this.#doubts.since = 0;
    this.#isSettled = true;
    this.#kept = [];
    this.#accounted.clear();
    return kept;
  }
}
