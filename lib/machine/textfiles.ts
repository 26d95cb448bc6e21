import { statSync } from "node:fs";
import { join } from "node:path";
import { type Clock, errorText, type Logger, writeFileAtomic } from "../std/mod.ts";
import type { MachineNode } from "./watcher.ts";

/** What a metric watcher measured last. */
export interface MetricSample {
  labels: Readonly<Record<string, string>>;
  metrics: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch after which the sample is too old to be shown. */
  expires: number;
}

interface CheckSample {
  status: string;
  code: number;
  /** Unix seconds. */
  time: number;
  count: number;
}

const checksFile = "choria_machine_nagios_watcher_status.prom";
const metricsFile = "choria_machine_metrics_watcher_status.prom";

/** Changes that come within this time are written together, in milliseconds: a node may have hundreds of checks. */
const gatherTime = 500;

const shared = new WeakMap<MachineNode, Textfiles>();

/** The text files of a node: its machines share them. */
export function textfilesOf(node: MachineNode, logger: Logger): Textfiles {
  const present = shared.get(node);
  if (present !== undefined) return present;
  const made = new Textfiles(node.settings.textfileFolder, node.clock, logger);
  shared.set(node, made);
  return made;
}

/**
 * Checks and metrics of a node as files of Prometheus' text format, for its node exporter to pick up. Nothing is
 * written where the folder is not set, or is not there.
 */
export class Textfiles {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #startedAt: number;
  /** What waits to be written. */
  readonly #waiting = new Set<() => void>();
  readonly #checks = new Map<string, CheckSample>();
  readonly #metrics = new Map<string, { watcher: string; sample: MetricSample }>();

  constructor(folder: string, clock: Clock, logger: Logger) {
    this.#folder = folder;
    this.#clock = clock;
    this.#logger = logger;
    this.#startedAt = Math.floor(clock.now() / 1_000);
  }

  /** Tell the status of a machine's check. Each call counts as a check. */
  setCheck(machine: string, status: string, code: number): void {
    const count = (this.#checks.get(machine)?.count ?? 0) + 1;
    this.#checks.set(machine, { status, code, time: Math.floor(this.#clock.now() / 1_000), count });
    this.#soon(this.#writeChecks);
  }

  deleteCheck(machine: string): void {
    if (this.#checks.delete(machine)) this.#soon(this.#writeChecks);
  }

  setMetrics(machine: string, watcher: string, sample: MetricSample): void {
    this.#metrics.set(metricKey(machine, watcher), { watcher, sample });
    this.#soon(this.#writeMetrics);
  }

  deleteMetrics(machine: string, watcher: string): void {
    if (this.#metrics.delete(metricKey(machine, watcher))) this.#soon(this.#writeMetrics);
  }

  #soon(write: () => void): void {
    if (this.#folder === "" || this.#waiting.has(write)) return;
    this.#waiting.add(write);
    this.#clock.after(gatherTime, () => {
      this.#waiting.delete(write);
      write();
    });
  }

  readonly #writeChecks = (): void => {
    const checks = [...this.#checks].map(([name, sample]) => [`name="${labelValue(name)}"`, sample] as const);
    const prefix = "choria_machine_nagios";
    const status = checks.map(([name, { status, code }]) => `{${name},status="${status}"} ${code}`);
    const lastRun = checks.map(([name, { time }]) => `{${name}} ${time}`);
    const counts = checks.map(([name, { count }]) => `{${name}} ${count}`);
    this.#write(checksFile, [
      ...family(`${prefix}_start_time`, "gauge", "Time the Choria Machine subsystem started in unix seconds", [
        ` ${this.#startedAt}`,
      ]),
      ...family(`${prefix}_watcher_status`, "gauge", "Choria Nagios Check Status", status),
      ...family(`${prefix}_watcher_last_run_seconds`, "gauge", "Choria Nagios Check Time", lastRun),
      ...family(`${prefix}_watcher_checks_count`, "counter", "Choria Nagios Check Count", counts),
    ]);
  };

  readonly #writeMetrics = (): void => {
    const now = this.#clock.now();
    const families = new Map<string, Map<string, string>>();
    for (const [key, { watcher, sample }] of this.#metrics) {
      if (sample.expires < now) {
        this.#metrics.delete(key);
        continue;
      }
      const labels = labelsOf(sample.labels);
      for (const [metric, value] of Object.entries(sample.metrics)) {
        const name = metricName(watcher, metric);
        // Machines may have watchers of the same name; a series may stand in the file once.
        families.set(name, (families.get(name) ?? new Map()).set(labels, value.toFixed(6)));
      }
    }
    const lines = [...families].flatMap(([name, series]) =>
      family(
        name,
        "gauge",
        "Choria Metric",
        [...series].map(([labels, value]) => `${labels} ${value}`),
      ),
    );
    this.#write(metricsFile, lines);
  };

  #write(file: string, lines: readonly string[]): void {
    try {
      if (statSync(this.#folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
      writeFileAtomic(join(this.#folder, file), lines.map((line) => `${line}\n`).join(""), { mode: 0o644 });
    } catch (error) {
      this.#logger.error("The text file for Prometheus could not be written", { file, reason: errorText(error) });
    }
  }
}

function family(name: string, type: string, help: string, series: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...series.map((line) => `${name}${line}`)];
}

function metricKey(machine: string, watcher: string): string {
  return `${machine}\n${watcher}`;
}

function metricName(watcher: string, metric: string): string {
  return plainName(`choria_machine_metric_watcher_${watcher.toLowerCase()}_${metric}`);
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${plainName(name)}="${labelValue(value.toLowerCase().replace(/[ ,'"]/g, "_"))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** One name that Prometheus does not know would spoil the file for all others. */
function plainName(text: string): string {
  return text.replace(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=\d)/, "_");
}

function labelValue(text: string): string {
  return text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
