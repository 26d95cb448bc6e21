import type { Gauge, Registry } from "prom-client";
import { isObject, type JsonObject } from "../std/mod.ts";

/** Asks nats-server's own statistics for a document, for example `varz`. */
export type Ask = (document: string) => Promise<JsonObject>;

/** What metrics say about this broker. */
export interface MetricsOptions {
  identity: string;
  version: string;
  ask: Ask;
  /** How many logins were let in and refused. */
  logins: () => { allowed: number; refused: number };
}

type Reading = readonly [name: string, help: string, read: (documents: Documents) => unknown];

interface Documents {
  varz: JsonObject;
  jsz: JsonObject;
}

const prefix = "choria_network_";

const readings: readonly Reading[] = [
  ["connections", "Connections now", ({ varz }) => varz.connections],
  ["total_connections", "Connections since the start", ({ varz }) => varz.total_connections],
  ["routes", "Routes to other brokers", ({ varz }) => varz.routes],
  ["remotes", "Other brokers known", ({ varz }) => varz.remotes],
  ["leafnode_remotes", "Leaf nodes", ({ varz }) => varz.leafnodes],
  ["in_msgs", "Messages received", ({ varz }) => varz.in_msgs],
  ["out_msgs", "Messages sent", ({ varz }) => varz.out_msgs],
  ["in_bytes", "Bytes received", ({ varz }) => varz.in_bytes],
  ["out_bytes", "Bytes sent", ({ varz }) => varz.out_bytes],
  ["slow_consumers", "Connections closed for being slow", ({ varz }) => varz.slow_consumers],
  ["subscriptions", "Subscriptions", ({ varz }) => varz.subscriptions],
  ["stream_memorystore_max", "Most bytes of streams in memory", ({ jsz }) => at(jsz, "config").max_memory],
  ["stream_filestore_max", "Most bytes of streams on disk", ({ jsz }) => at(jsz, "config").max_storage],
  ["stream_memorystore_used", "Bytes of streams in memory", ({ jsz }) => jsz.memory],
  ["stream_filestore_used", "Bytes of streams on disk", ({ jsz }) => jsz.storage],
  ["stream_streams", "Streams", ({ jsz }) => jsz.streams],
  ["stream_consumers", "Consumers of streams", ({ jsz }) => jsz.consumers],
  ["stream_messages", "Messages in streams", ({ jsz }) => jsz.messages],
  ["stream_message_bytes", "Bytes of messages in streams", ({ jsz }) => jsz.bytes],
];

const leafnodeReadings: readonly (readonly [name: string, help: string, read: (leaf: JsonObject) => unknown])[] = [
  ["leafnode_rtt_ms", "Round trip time to a leaf node in milliseconds", (leaf) => milliseconds(leaf.rtt)],
  ["leafnode_in_msgs", "Messages received from a leaf node", (leaf) => leaf.in_msgs],
  ["leafnode_out_msgs", "Messages sent to a leaf node", (leaf) => leaf.out_msgs],
  ["leafnode_in_bytes", "Bytes received from a leaf node", (leaf) => leaf.in_bytes],
  ["leafnode_out_bytes", "Bytes sent to a leaf node", (leaf) => leaf.out_bytes],
  ["leafnode_subscriptions", "Subscriptions of a leaf node", (leaf) => leaf.subscriptions],
];

/** Prometheus metrics of the broker, read from nats-server whenever somebody asks. */
export class BrokerMetrics {
  readonly #options: MetricsOptions;
  readonly #registry: Registry;
  readonly #gauges: readonly { gauge: Gauge; read: Reading[2] }[];
  readonly #logins: Gauge;
  readonly #leafnodes: readonly { gauge: Gauge; read: (leaf: JsonObject) => unknown }[];

  private constructor(prometheus: typeof import("prom-client"), options: MetricsOptions) {
    const registry = new prometheus.Registry();
    const make = (name: string, help: string, labelNames: string[]) =>
      new prometheus.Gauge({ name: prefix + name, help, labelNames, registers: [registry] });
    this.#options = options;
    this.#registry = registry;
    this.#gauges = readings.map(([name, help, read]) => ({ gauge: make(name, help, ["identity"]), read }));
    this.#leafnodes = leafnodeReadings.map(([name, help, read]) => ({
      gauge: make(name, help, ["identity", "host", "port", "account"]),
      read,
    }));
    this.#logins = make("logins", "Logins judged since the start", ["identity", "result"]);
    const build = new prometheus.Counter({
      name: "choria_build_info",
      help: "Version of the broker",
      labelNames: ["version", "sha", "identity"],
      registers: [registry],
    });
    build.inc({ version: options.version, sha: "unknown", identity: options.identity });
    prometheus.collectDefaultMetrics({ register: registry });
  }

  /** Metrics are loaded when somebody wants them, as most brokers run without. */
  static async create(options: MetricsOptions): Promise<BrokerMetrics> {
    return new BrokerMetrics(await import("prom-client"), options);
  }

  /** Type of what {@link BrokerMetrics.text} gives. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /**
   * Everything in Prometheus' text format.
   * @throws {Error} when nats-server does not answer.
   */
  async text(): Promise<string> {
    const { ask, identity, logins } = this.#options;
    const [varz, jsz, leafz] = await Promise.all([ask("varz"), ask("jsz"), ask("leafz")]);
    for (const { gauge, read } of this.#gauges) gauge.set({ identity }, number(read({ varz, jsz })));
    for (const [result, count] of Object.entries(logins())) this.#logins.set({ identity, result }, count);
    this.#setLeafnodes(leafz);
    return this.#registry.metrics();
  }

  #setLeafnodes(leafz: JsonObject): void {
    const leafs = Array.isArray(leafz.leafs) ? leafz.leafs.filter(isObject) : [];
    for (const { gauge, read } of this.#leafnodes) {
      gauge.reset();
      for (const leaf of leafs) {
        const labels = { host: String(leaf.ip), port: String(leaf.port), account: String(leaf.account) };
        gauge.set({ identity: this.#options.identity, ...labels }, number(read(leaf)));
      }
    }
  }
}

function at(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isObject(value) ? value : {};
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/** A Go duration such as `1.25ms`. */
function milliseconds(rtt: unknown): number {
  const [, value = "0", unit = "ms"] = /^([\d.]+)(µs|ms|s)$/.exec(String(rtt)) ?? [];
  return Number(value) * ({ µs: 0.001, ms: 1, s: 1_000 }[unit] ?? 1);
}
