/**
 * A queue with a place in it: what stands before the place was looked at, what stands behind it is next. Items leave at
 * the head.
 */
export class Waiting<T> implements Iterable<T> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #place = 0;

  /** How many items there are. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The first item. */
  get head(): T | undefined {
    return this.#items[this.#head];
  }

  /** The item at the place. */
  get next(): T | undefined {
    return this.#items[this.#place];
  }

  /** Add an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Move the place on by one. */
  advance(): void {
    this.#place++;
  }

  /** Move the place back to the head. */
  rewind(): void {
    this.#place = this.#head;
  }

  /** Drop the first item. */
  shift(): void {
    // Places are given back by the thousand, but what stood on them may be large.
    this.#items[this.#head] = undefined;
    this.#head++;
    this.#place = Math.max(this.#place, this.#head);
    if (this.#head < 1_024) return;
    this.#items = this.#items.slice(this.#head);
    this.#place -= this.#head;
    this.#head = 0;
  }

  /** The first item that meets a condition. */
  find(condition: (item: T) => boolean): T | undefined {
    for (const item of this) if (condition(item)) return item;
    return undefined;
  }

  /** Drop everything. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#place = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as T;
  }
}
