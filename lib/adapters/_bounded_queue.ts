/** Holds things in their order, up to so many and up to so many bytes. */
export class BoundedQueue<T> {
  readonly capacity: number;
  readonly #maxBytes: number;
  readonly #sizeOf: (item: T) => number;
  #held: (T | undefined)[] = [];
  #at = 0;
  #bytes = 0;

  /**
   * @param options.capacity Most things held.
   * @param options.maxBytes Most bytes held.
   * @param options.sizeOf Bytes of a thing.
   */
  constructor(options: { capacity: number; maxBytes: number; sizeOf: (item: T) => number }) {
    this.capacity = options.capacity;
    this.#maxBytes = options.maxBytes;
    this.#sizeOf = options.sizeOf;
  }

  get length(): number {
    return this.#held.length - this.#at;
  }

  /** Hold a thing; false when there is no room for it. One thing alone may be of any size. */
  push(item: T): boolean {
    const bytes = this.#bytes + this.#sizeOf(item);
    if (this.length >= this.capacity || (bytes > this.#maxBytes && this.length > 0)) return false;
    this.#held.push(item);
    this.#bytes = bytes;
    return true;
  }

  /** Take the first thing out. */
  shift(): T | undefined {
    const item = this.#held[this.#at];
    if (item === undefined) return undefined;
    this.#held[this.#at++] = undefined;
    this.#bytes -= this.#sizeOf(item);
    if (this.#at > 1_024) {
      this.#held = this.#held.slice(this.#at);
      this.#at = 0;
    }
    return item;
  }
}
