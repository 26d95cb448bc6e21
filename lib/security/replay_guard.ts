/** Batches of a length, before they become twice as long. */
const slotsOfAStep = 16;

/** Lets each request of each caller in once while the request is valid. */
export class ReplayGuard {
  readonly #slotMs: number;
  readonly #slots = new Map<number, Map<string, Set<string>>>();
  readonly #held = new Map<string, number>();
  readonly #max: number;
  readonly #share: number;
  #size = 0;

  /**
   * @param options.max Most ids held; beyond it requests are refused rather than remembered. Default 1,000,000.
   * @param options.share Most ids held of one caller, so that none can use up the room of the others. Default a tenth
   * of them.
   * @param options.slotMs Ids are forgotten in batches of this many milliseconds, longer ones where validity is long.
   * Default 10,000.
   */
  constructor(options: { max?: number; share?: number; slotMs?: number } = {}) {
    this.#max = options.max ?? 1_000_000;
    this.#share = options.share ?? Math.ceil(this.#max / 10);
    this.#slotMs = options.slotMs ?? 10_000;
  }

  /** How many ids are held. */
  get size(): number {
    return this.#size;
  }

  /**
   * Whether the id is new, or was last seen when a request of that id has since become invalid.
   *
   * @param caller Whose request it is: ids of different callers have nothing to do with each other.
   * @param validUntil When the request stops being valid, milliseconds since the epoch.
   */
  admit(caller: string, id: string, validUntil: number, now: number): boolean {
    this.#forget(now);
    for (const callers of this.#slots.values()) if (callers.get(caller)?.has(id)) return false;
    const held = this.#held.get(caller) ?? 0;
    if (held >= this.#share || this.#size >= this.#max) return false;
    const slot = this.#slotOf(validUntil, now);
    const callers = this.#slots.get(slot) ?? new Map<string, Set<string>>();
    const ids = callers.get(caller) ?? new Set();
    this.#slots.set(slot, callers.set(caller, ids.add(id)));
    this.#held.set(caller, held + 1);
    this.#size++;
    return true;
  }

  /**
   * When the batch of an id is forgotten. The further away that is, the longer are batches: somebody who gives every
   * request another validity must not make so many that looking through them takes time.
   */
  #slotOf(validUntil: number, now: number): number {
    const steps = Math.max(1, validUntil - now) / (this.#slotMs * slotsOfAStep);
    const doublings = Math.ceil(Math.log2(steps));
    const length = this.#slotMs * 2 ** Math.max(0, doublings);
    return Math.ceil(validUntil / length) * length;
  }

  #forget(now: number): void {
    for (const [slot, callers] of this.#slots) {
      if (slot >= now) continue;
      this.#slots.delete(slot);
      for (const [caller, ids] of callers) this.#release(caller, ids.size);
    }
  }

  #release(caller: string, ids: number): void {
    this.#size -= ids;
    const left = (this.#held.get(caller) ?? 0) - ids;
    if (left > 0) this.#held.set(caller, left);
    else this.#held.delete(caller);
  }
}
