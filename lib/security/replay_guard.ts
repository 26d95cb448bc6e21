/** Lets each request id in once while the request is valid. */
export class ReplayGuard {
  readonly #slotMs: number;
  readonly #slots = new Map<number, Set<string>>();
  readonly #max: number;
  #held = 0;

  /**
   * @param options.max Most ids held; beyond it requests are refused rather than remembered. Default 1,000,000.
   * @param options.slotMs Ids are forgotten in batches of this many milliseconds. Default 10,000.
   */
  constructor(options: { max?: number; slotMs?: number } = {}) {
    this.#max = options.max ?? 1_000_000;
    this.#slotMs = options.slotMs ?? 10_000;
  }

  /** How many ids are held. */
  get size(): number {
    return this.#held;
  }

  /**
   * Whether the id is new, or was last seen when a request of that id has since become invalid.
   *
   * @param validUntil When the request stops being valid, milliseconds since the epoch.
   */
  admit(id: string, validUntil: number, now: number): boolean {
    this.#forget(now);
    for (const ids of this.#slots.values()) if (ids.has(id)) return false;
    if (this.#held >= this.#max) return false;
    const slot = Math.ceil(validUntil / this.#slotMs);
    const ids = this.#slots.get(slot) ?? new Set();
    ids.add(id);
    this.#slots.set(slot, ids);
    this.#held++;
    return true;
  }

  #forget(now: number): void {
    for (const [slot, ids] of this.#slots) {
      if (slot * this.#slotMs >= now) continue;
      this.#slots.delete(slot);
      this.#held -= ids.size;
    }
  }
}
