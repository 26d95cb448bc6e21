import { errorText, isObject, type Json } from "../../std/mod.ts";
import { runCommand } from "../command.ts";
import type { MetricDevice, MetricDocument } from "../devices.ts";
import { Pulse } from "../pulse.ts";
import { textfilesOf } from "../textfiles.ts";
import type { WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { sendToGraphite } from "./_graphite.ts";
import { readMeasurement } from "./_measure.ts";
import { type Properties, readProperties } from "./_properties.ts";

const shortestInterval = 1_000;
const timeout = 1_000;

/** For how many intervals figures stay in the text file of Prometheus. */
const intervalsShown = 5;

/** Where the machine's data has what was measured, by watcher. */
const dataKey = "metric";

/**
 * Runs a command that measures something, at each interval and whenever the machine changes its state. What it prints
 * is published, and goes to Prometheus' text file, Graphite, and the machine's data. JSON that cannot be read fires the
 * fail transition. Publishes `metrics`: `{labels, metrics, time}`, with the run time as `choria_runtime_seconds`.
 */
export const kind: WatcherKind = {
  type: "metric",
  create: (context) => new MetricWatcher(context, readProperties(context.definition.properties, metricProperties)),
};

interface MetricProperties {
  command: string;
  interval: number;
  labels: Record<string, string>;
  skipsPrometheus: boolean;
  isStored: boolean;
  isServed: boolean;
  graphiteHost: string;
  graphitePort: string;
  graphitePrefix: string;
}

function metricProperties(properties: Properties): MetricProperties {
  return {
    command: properties.required("command"),
    interval: Math.max(shortestInterval, properties.duration("interval")),
    labels: properties.table("labels"),
    skipsPrometheus: properties.flag("skip_prometheus"),
    isStored: properties.flag("store"),
    isServed: properties.flag("http"),
    graphiteHost: properties.text("graphite_host"),
    graphitePort: properties.text("graphite_port"),
    graphitePrefix: properties.text("graphite_prefix"),
  };
}

class MetricWatcher {
  /** Only those that may be read over HTTP are a device. */
  readonly device: MetricDevice["device"] | undefined;
  readonly #context: WatcherContext;
  readonly #properties: MetricProperties;
  readonly #pulse: Pulse;
  #last: MetricDocument = { labels: {}, metrics: {}, time: 0 };
  /** Seconds. */
  #runtime = 0;

  constructor(context: WatcherContext, properties: MetricProperties) {
    const { interval, isServed } = properties;
    this.device = isServed ? "metric" : undefined;
    this.#context = context;
    this.#properties = properties;
    const first = Math.floor(context.machine.node.random() * interval);
    this.#pulse = new Pulse(context, { interval, first, beat: () => this.#beat() });
  }

  /** What was measured last, with how long that took. */
  get measured(): MetricDocument {
    const { labels, metrics, time } = this.#last;
    return { labels, metrics: { ...metrics, choria_runtime_seconds: this.#runtime }, time };
  }

  start(): void {
    this.#pulse.start();
  }

  stateChanged(): void {
    this.#pulse.poke();
  }

  deleted(): void {
    const { machine, definition, logger } = this.#context;
    textfilesOf(machine.node, logger).deleteMetrics(machine.name, definition.name);
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    const metrics = this.measured;
    const figures = Object.entries(metrics.metrics).map(([name, value]) => `${name}=${value.toFixed(3)}`);
    return { fields: { metrics }, text: `${machine.name}#${definition.name} metrics: ${figures.join(", ")}` };
  }

  async #beat(): Promise<void> {
    const { isActive, render, logger, signal, announce, fail } = this.#context;
    if (!isActive()) return;
    const outcome = await runCommand(this.#context, await render(this.#properties.command), { timeout });
    if (signal.aborted) return;
    if (outcome.exitCode !== 0) {
      logger.error(
        "The command failed",
        outcome.reason === "" ? { exit_code: outcome.exitCode } : { reason: outcome.reason },
      );
      return;
    }
    this.#runtime = Math.round(outcome.runtime * 1e6) / 1e9;
    const isRead = this.#take(new TextDecoder().decode(outcome.output));
    if (isRead) await this.#pass();
    announce();
    if (!isRead) await fail();
  }

  #take(output: string): boolean {
    const { machine, logger } = this.#context;
    try {
      const time = Math.floor(machine.node.clock.now() / 1_000);
      this.#last = readMeasurement(output, this.#properties.labels, time);
      return true;
    } catch (error) {
      logger.error("What the command printed is no measurement", { reason: errorText(error) });
      this.#last = { labels: {}, metrics: {}, time: 0 };
      return false;
    }
  }

  /** Pass the figures on to all that want them. What fails is logged. */
  async #pass(): Promise<void> {
    const { isStored, skipsPrometheus, graphiteHost, interval } = this.#properties;
    const { machine, definition, logger } = this.#context;
    try {
      if (isStored) this.#store();
      if (!skipsPrometheus) {
        const expires = machine.node.clock.now() + intervalsShown * interval;
        textfilesOf(machine.node, logger).setMetrics(machine.name, definition.name, { ...this.measured, expires });
      }
      if (graphiteHost !== "") await this.#sendToGraphite();
    } catch (error) {
      logger.error("Figures could not be passed on", { reason: errorText(error) });
    }
  }

  #store(): void {
    const { machine, definition } = this.#context;
    const { labels, metrics, time } = this.#last;
    const stored = machine.data.get(dataKey);
    const others: { [watcher: string]: Json } = {};
    if (isObject(stored)) Object.assign(others, stored);
    machine.data.set(dataKey, { ...others, [definition.name]: { labels, metrics, time } });
  }

  async #sendToGraphite(): Promise<void> {
    const { render, definition } = this.#context;
    const { graphiteHost, graphitePort, graphitePrefix } = this.#properties;
    const port = Number(await render(graphitePort));
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`graphite_port "${graphitePort}" is no port`);
    const prefix = (await render(graphitePrefix)) || `choria.${definition.name.replaceAll(" ", "-")}`;
    await sendToGraphite(
      { ...this.#last.metrics, runtime: this.#runtime },
      {
        host: await render(graphiteHost),
        port,
        prefix,
        time: this.#last.time,
      },
    );
  }
}
