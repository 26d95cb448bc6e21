/**
 * A map that forgets its least recently used entry once it holds `max` of them, so that peers cannot fill
 * the memory of a daemon by sending ever new keys.
 */
export class LruMap<K, V> {
  readonly #max: number;
  readonly #entries = new Map<K, V>();

  /** @param max How many entries are kept, at least 1. */
  constructor(max: number) {
    this.#max = Math.max(1, max);
  }

  /** How many entries are held. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key, which becomes the most recently used. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  /** Keep a value; the least recently used goes when there is no more room. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#max) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, value);
  }

  /** Forget a key. */
  delete(key: K): void {
    this.#entries.delete(key);
  }
}
