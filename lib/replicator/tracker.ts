import { isObject, type JsonObject, zeroTime } from "../std/mod.ts";

/** What is known of a value. Times are Unix milliseconds, 0 for never. */
export interface TrackedItem {
  seen: number;
  copied: number;
  /** Its silence was told. */
  isAdvised: boolean;
  /** Bytes of the last message. */
  size: number;
  /** Learnt from another replicator. */
  isForeign: boolean;
}

/** When values are copied again, told of and forgotten. Milliseconds; bytes. */
export interface TrackerSettings {
  interval: number;
  warn: number;
  /** 0 for off. */
  sizeTrigger: number;
}

/** A change of a value that somebody may want to hear of. */
export interface TrackerNews {
  event: "new" | "timeout" | "recover" | "expire";
  value: string;
  /** When it was seen before this; 0 for never. */
  seen: number;
}

/** Most values that are known; a value beyond them is copied whenever it comes. */
const maxItems = 1_000_000;

/** The table of values: when each was last seen and copied. */
export class Tracker {
  readonly #settings: TrackerSettings;
  readonly #random: () => number;
  readonly #items = new Map<string, TrackedItem>();
  /** Copies that the target has not acknowledged yet; they are not saved, as they may come to nothing. */
  readonly #underway = new Map<string, number>();

  constructor(settings: TrackerSettings, random: () => number = Math.random) {
    this.#settings = settings;
    this.#random = random;
  }

  /** How many values are known. */
  get size(): number {
    return this.#items.size;
  }

  /** How many of them come from other replicators. */
  get foreign(): number {
    let count = 0;
    for (const item of this.#items.values()) if (item.isForeign) count++;
    return count;
  }

  /** What is known of a value. */
  get(value: string): Readonly<TrackedItem> | undefined {
    return this.#items.get(value);
  }

  /** Whether a message of a value is due. The times of copies are spread, so that they do not all come at once. */
  isDue(value: string, size: number, now: number): boolean {
    const item = this.#items.get(value);
    if (item === undefined) return true;
    const { interval, sizeTrigger } = this.#settings;
    const deadline = now - (interval - 1_000 - this.#random() * (interval / 10));
    const copied = Math.max(item.copied, this.#underway.get(value) ?? 0);
    // Somebody has set the clock back.
    if (copied - now > interval / 10) return true;
    if (copied === 0 || copied < deadline || item.seen === 0 || item.seen < deadline) return true;
    if (item.size === 0 && size !== 0) return true;
    return sizeTrigger > 0 && Math.abs(item.size - size) >= sizeTrigger;
  }

  /** A message of a value came; gives what is news about that. */
  see(value: string, size: number, now: number): TrackerNews | undefined {
    const item = this.#items.get(value);
    if (item === undefined) {
      if (this.#items.size >= maxItems) return undefined;
      this.#items.set(value, { seen: now, copied: 0, isAdvised: false, size, isForeign: false });
      return { event: "new", value, seen: now };
    }
    const { seen } = item;
    Object.assign(item, { seen: now, size, isAdvised: false, isForeign: false });
    const age = now - seen;
    const { warn, interval } = this.#settings;
    return seen > 0 && age > warn && age < interval ? { event: "recover", value, seen } : undefined;
  }

  /** A copy of the value is on its way. */
  underway(value: string, now: number): void {
    if (this.#items.has(value)) this.#underway.set(value, now);
  }

  /** The target has a copy of the value. */
  copied(value: string, now: number): void {
    this.#underway.delete(value);
    const item = this.#items.get(value);
    if (item !== undefined) item.copied = now;
  }

  /** The copy came to nothing. */
  notCopied(value: string): void {
    this.#underway.delete(value);
  }

  /** Take over what another replicator says of a value. */
  learn(value: string, item: Pick<TrackedItem, "seen" | "copied" | "isAdvised" | "size">): void {
    if (this.#items.size >= maxItems && !this.#items.has(value)) return;
    this.#items.set(value, { ...item, isForeign: true });
  }

  /** Forget values that were not seen for the interval, and note those that are silent; gives both as news. */
  scrub(now: number): TrackerNews[] {
    const { interval, warn } = this.#settings;
    const news: TrackerNews[] = [];
    for (const [value, item] of this.#items) {
      const { seen } = item;
      const age = now - seen;
      if (age > interval) {
        this.#items.delete(value);
        this.#underway.delete(value);
        // So long ago that nobody waits for the news: this process was not there.
        if (age <= 2 * interval) news.push({ event: "expire", value, seen });
      } else if (age > warn && !item.isAdvised) {
        item.isAdvised = true;
        news.push({ event: "timeout", value, seen });
      }
    }
    return news;
  }

  /** The table as state files hold it. */
  encode(): JsonObject {
    const items = [...this.#items].map(([value, item]) => [
      value,
      encodeItem(item, item.isForeign ? value : undefined),
    ]);
    return { Items: Object.fromEntries(items) };
  }

  /**
   * Take over the table of a state file; what is too old is left out.
   * @throws {TypeError} when it is none.
   */
  decode(document: unknown, now: number): void {
    const items = isObject(document) ? document.Items : undefined;
    if (!isObject(items)) throw new TypeError("there are no Items in it");
    for (const [value, raw] of Object.entries(items)) {
      const item = decodeItem(raw);
      if (item !== undefined && this.#items.size < maxItems) this.#items.set(value, item);
    }
    this.scrub(now);
  }
}

/** A value's item as state files and gossip hold it. */
export function encodeItem(
  { seen, copied, isAdvised, size }: Pick<TrackedItem, "seen" | "copied" | "isAdvised" | "size">,
  value?: string,
): JsonObject {
  return {
    seen: timeText(seen),
    copied: timeText(copied),
    ...(isAdvised ? { advised: true } : {}),
    size,
    ...(value === undefined ? {} : { value }),
  };
}

/** Read such an item; undefined when it is none. */
export function decodeItem(raw: unknown): TrackedItem | undefined {
  if (!isObject(raw)) return undefined;
  const [seen, copied] = [timeOf(raw.seen), timeOf(raw.copied)];
  if (seen === undefined || copied === undefined) return undefined;
  const size = typeof raw.size === "number" && Number.isFinite(raw.size) ? raw.size : 0;
  return { seen, copied, isAdvised: raw.advised === true, size, isForeign: typeof raw.value === "string" };
}

function timeText(ms: number): string {
  return ms <= 0 ? zeroTime : new Date(ms).toISOString();
}

function timeOf(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const time = Date.parse(text);
  return Number.isFinite(time) ? Math.max(time, 0) : undefined;
}
