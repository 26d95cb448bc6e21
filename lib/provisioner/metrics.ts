import { Counter, Gauge, Registry, Summary } from "prom-client";

const prefix = "choria_provisioner_";
const counters = {
  discovered: "Nodes found by discovery",
  event_discovered: "Nodes found by their start-up events",
  discover_cycles: "Discoveries made",
  discovery_errors: "Discoveries that failed",
  provision_errors: "Nodes that could not be provisioned",
  provisioned: "Nodes that were provisioned",
  helper_errors: "Helpers that failed",
  helper_shutdown_requests: "Nodes that a helper had shut down",
} as const;
const gauges = {
  busy_workers: "Nodes being provisioned",
  work_queue_entries: "Nodes waiting for their turn",
  waiting_nodes: "Nodes known, those done a moment ago among them",
  paused: "Whether the provisioner is paused",
} as const;

/** Name of a counter without prefix. */
export type CounterName = keyof typeof counters;
/** Name of a gauge without prefix. */
export type GaugeName = keyof typeof gauges;

/** What a provisioner counts, under the names `choria_provisioner_…` and with its site as label. */
export class ProvisionerMetrics {
  readonly #registry = new Registry();
  readonly #site: { site: string };
  readonly #counters: Record<CounterName, Counter<"site">>;
  readonly #gauges: Record<GaugeName, Gauge<"site">>;
  readonly #rpcErrors: Counter<"site" | "rpc">;
  readonly #rpcTime: Summary<"site" | "rpc">;
  readonly #helperTime: Summary<"site">;

  constructor(site: string) {
    const registers = [this.#registry];
    const make = <T>(names: object, create: (name: string, help: string) => T) =>
      Object.fromEntries(Object.entries(names).map(([name, help]) => [name, create(prefix + name, String(help))]));
    this.#site = { site };
    this.#counters = make(
      counters,
      (name, help) => new Counter({ name, help, labelNames: ["site"], registers }),
    ) as Record<CounterName, Counter<"site">>;
    this.#gauges = make(gauges, (name, help) => new Gauge({ name, help, labelNames: ["site"], registers })) as Record<
      GaugeName,
      Gauge<"site">
    >;
    const labelNames = ["site", "rpc"] as const;
    this.#rpcErrors = new Counter({ name: `${prefix}rpc_errors`, help: "Calls that failed", labelNames, registers });
    const noQuantiles = { percentiles: [], registers };
    this.#rpcTime = new Summary({ name: `${prefix}rpc_time`, help: "Seconds per call", labelNames, ...noQuantiles });
    const helper = { name: `${prefix}helper_time`, help: "Seconds per helper", labelNames: ["site"] as const };
    this.#helperTime = new Summary({ ...helper, ...noQuantiles });
  }

  /** Add one. */
  count(name: CounterName): void {
    this.#counters[name].inc(this.#site);
  }

  /** Set a gauge. */
  set(name: GaugeName, value: number): void {
    this.#gauges[name].set(this.#site, value);
  }

  /** What a call took, in milliseconds; `rpc` is `agent#action`. */
  rpcTook(rpc: string, ms: number): void {
    this.#rpcTime.observe({ ...this.#site, rpc }, ms / 1_000);
  }

  /** A call failed. */
  rpcFailed(rpc: string): void {
    this.#rpcErrors.inc({ ...this.#site, rpc });
  }

  /** What a helper took, in milliseconds. */
  helperTook(ms: number): void {
    this.#helperTime.observe(this.#site, ms / 1_000);
  }

  /** Everything in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
