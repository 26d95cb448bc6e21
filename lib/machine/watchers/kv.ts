import type { Msg } from "@nats-io/nats-core";
import { lookup } from "../../expr/mod.ts";
import { decodeUtf8, errorText, isObject, type Json } from "../../std/mod.ts";
import { type BucketEntry, type BucketReader, openBucket } from "../../streams/mod.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { type Properties, readProperties } from "./_properties.ts";

/**
 * Keeps what a key of a bucket holds among the machine's data. Asks at its start, at each interval and when the machine
 * changes its state, though never more often than the interval says. Fires the success transition when the value
 * changed, the fail transition when it cannot be read. Publishes, at its announcements alone, `state` (`error`,
 * `changed`, `unchanged`, `skipped`), `bucket`, `key` and `mode`.
 *
 * Properties: `bucket`, `key`, `bucket_prefix` (begin the name among the data with that of the bucket, true by default),
 * `store_key` (another name among the data), `query` (a GJSON path into values that are objects), `on_successful_get`
 * and `on_matching_update` (count as a change what is the same, or the same once more), `republish_trigger` (a subject
 * on which the bucket's stream republishes its changes).
 */
export const kind: WatcherKind = {
  type: "kv",
  create: (context) => new KvWatcher(context, readProperties(context.definition.properties, kvProperties)),
};

interface KvProperties {
  bucket: string;
  key: string;
  mode: string;
  hasPrefix: boolean;
  countsReads: boolean;
  countsRepeats: boolean;
  trigger: string;
  storeKey: string;
  query: string;
}

function kvProperties(properties: Properties): KvProperties {
  const mode = properties.text("mode") || "poll";
  if (mode === "watch") throw new Error("watch mode not supported");
  if (mode !== "poll") throw new Error("mode should be 'poll' or 'watch'");
  if (properties.has("hiera_config") && properties.flag("hiera_config")) {
    throw new Error("hiera_config is not supported; store the resolved data");
  }
  return {
    bucket: properties.required("bucket"),
    key: properties.required("key"),
    mode,
    hasPrefix: properties.has("bucket_prefix") ? properties.flag("bucket_prefix") : true,
    countsReads: properties.flag("on_successful_get"),
    countsRepeats: properties.flag("on_matching_update"),
    trigger: properties.text("republish_trigger"),
    storeKey: properties.text("store_key"),
    query: properties.text("query"),
  };
}

type State = "error" | "changed" | "unchanged" | "skipped" | "";

/** Where a value comes from and where it goes, with the templates filled in. */
interface Names {
  key: string;
  dataKey: string;
}

class KvWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: KvProperties;
  readonly #pulse: Pulse;
  #bucket: BucketReader | undefined;
  #state: State = "";
  #previous: Json | undefined;
  #revision = 0;
  #polledAt = Number.NEGATIVE_INFINITY;
  #isPrimed = false;
  /** Why the last look failed; told once, as buckets may be made much later. */
  #fault = "";

  constructor(context: WatcherContext, properties: KvProperties) {
    this.#context = context;
    this.#properties = properties;
    this.#pulse = new Pulse(context, { interval: context.definition.interval, beat: () => this.#beat() });
  }

  start(): void {
    void this.#listen();
    this.#pulse.start();
    this.#pulse.poke();
  }

  stateChanged(): void {
    this.#pulse.poke();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    const { bucket, key, mode } = this.#properties;
    return {
      fields: { state: this.#state, bucket, key, mode },
      text: `key-value ${machine.name}#${definition.name} polling bucket: ${bucket} key: ${key} state: ${this.#state}`,
    };
  }

  async #beat(): Promise<void> {
    if (!this.#context.isActive()) {
      this.#state = "skipped";
      return;
    }
    if (!this.#isDue()) return;
    this.#polledAt = this.#context.machine.node.clock.now();
    await this.#act(async () => {
      const names = await this.#names();
      return this.#take(names, await this.#read(names.key));
    });
  }

  /** Timers are not exact to the millisecond. */
  #isDue(): boolean {
    const { machine, definition } = this.#context;
    const passed = Math.round((machine.node.clock.now() - this.#polledAt) / 1_000);
    // Where somebody has set the clock back, nothing is known of how long it is.
    return passed < 0 || passed >= Math.round(definition.interval / 1_000);
  }

  async #read(key: string): Promise<BucketEntry | undefined> {
    const { connection } = this.#context.machine.node;
    if (connection === undefined) throw new Error("there is no broker");
    this.#bucket ??= openBucket(connection, this.#properties.bucket);
    return this.#bucket.get(key);
  }

  async #act(look: () => Promise<State>): Promise<void> {
    const { signal, succeed, fail } = this.#context;
    let state: State;
    try {
      state = await look();
      this.#fault = "";
    } catch (error) {
      this.#complain(errorText(error));
      state = "error";
    }
    if (signal.aborted) return;
    this.#state = state;
    if (state === "changed") await succeed();
    if (state === "error") await fail();
  }

  #complain(reason: string): void {
    const { logger, signal } = this.#context;
    const { bucket, key } = this.#properties;
    if (reason === this.#fault || signal.aborted) return;
    this.#fault = reason;
    logger.warn("A key of a bucket could not be read", { bucket, key, reason });
  }

  #take({ dataKey }: Names, entry: BucketEntry | undefined): State {
    const { data } = this.#context.machine;
    this.#prime(dataKey);
    const value = entry === undefined ? undefined : this.#valueOf(entry.value);
    const before = { value: this.#previous, revision: this.#revision };
    this.#revision = entry?.revision ?? 0;
    if (value === undefined) {
      if (before.value === undefined) return "unchanged";
      data.delete(dataKey);
      this.#previous = undefined;
      return "changed";
    }
    if (!Bun.deepEquals(before.value, value)) {
      data.set(dataKey, value);
      this.#previous = value;
      return "changed";
    }
    const isRepeat = before.revision > 0 && this.#revision > before.revision;
    if (this.#properties.countsRepeats && isRepeat) return "changed";
    return this.#properties.countsReads ? "changed" : "unchanged";
  }

  /** What was kept before a restart is no change. */
  #prime(dataKey: string): void {
    if (this.#isPrimed) return;
    this.#previous = this.#context.machine.data.get(dataKey);
    this.#isPrimed = true;
  }

  #valueOf(bytes: Uint8Array): Json | undefined {
    const raw = decodeUtf8(bytes);
    const text = raw.trim();
    if (!/^(\{.*\}|\[.*\])$/s.test(text)) return raw;
    const value = JSON.parse(text) as Json;
    const { query } = this.#properties;
    return query !== "" && isObject(value) ? (lookup(value, query) as Json | undefined) : value;
  }

  async #names(): Promise<Names> {
    const { render } = this.#context;
    const { bucket, hasPrefix, storeKey } = this.#properties;
    const key = await render(this.#properties.key);
    const name = storeKey === "" ? key : await render(storeKey);
    return { key, dataKey: hasPrefix ? `${bucket}_${name}` : name };
  }

  /** A bucket that republishes its changes tells of them at once. */
  async #listen(): Promise<void> {
    const { machine, signal, render, logger } = this.#context;
    const { trigger, bucket } = this.#properties;
    const { connection } = machine.node;
    if (trigger === "" || connection === undefined) return;
    try {
      const subject = await render(trigger);
      if (signal.aborted) return;
      const subscription = connection.subscribe(subject, (message) => this.#told(message));
      signal.addEventListener("abort", () => subscription.unsubscribe(), { once: true });
    } catch (error) {
      logger.error("The republished changes of a bucket cannot be heard", { bucket, reason: errorText(error) });
    }
  }

  async #told(message: Msg): Promise<void> {
    const { isActive, machine, signal } = this.#context;
    if (signal.aborted || !isActive()) return;
    const names = await this.#names();
    const change = changeOf(message, names.key);
    if (change === undefined || change.revision <= this.#revision) return;
    this.#polledAt = machine.node.clock.now();
    await this.#act(async () => this.#take(names, change.entry));
  }
}

const republished = ["Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Last-Sequence"];

/** A change of a key as its stream republishes it; undefined for any other message. */
function changeOf(
  { subject, headers, data }: Msg,
  key: string,
): { revision: number; entry: BucketEntry | undefined } | undefined {
  if (headers === undefined || republished.some((name) => !headers.has(name))) return undefined;
  if (!subject.endsWith(`.${key}`) || !headers.get("Nats-Subject").endsWith(`.${key}`)) return undefined;
  const revision = Number(headers.get("Nats-Sequence"));
  if (!Number.isSafeInteger(revision) || revision < 1) return undefined;
  const isGone = ["DEL", "PURGE"].includes(headers.get("KV-Operation"));
  return { revision, entry: isGone ? undefined : { value: data, revision } };
}
