import { Pulse } from "../pulse.ts";
import { textfilesOf } from "../textfiles.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { type CheckProperties, type MadeCheck, makeCheck } from "./_checks.ts";
import { intervalOf } from "./_interval.ts";
import { type PerfData, parsePerfData } from "./_perfdata.ts";
import { type Properties, readProperties } from "./_properties.ts";

/** What a check may find, by its code. */
const statuses: readonly string[] = ["OK", "WARNING", "CRITICAL", "UNKNOWN"];
const unknown = 3;
/** What a machine that has not been checked yet has for a status; 4 is that of a check that was skipped. */
const notChecked = 5;

/** How many checks are remembered. */
const historyLength = 15;

/** Most of an output that is published, in characters. */
const longestOutput = 32_768;

/** Unix seconds of Go's zero time. */
const neverChecked = -62_135_596_800;

/** How much earlier than its interval a check may come, in milliseconds. */
const slack = 1_000;

/**
 * Makes a check in the manner of Nagios at each interval, and at once when the machine enters `FORCE_CHECK`. What it
 * finds is published, remembered, written to Prometheus' text file, and fired as the transition `OK`, `WARNING`,
 * `CRITICAL` or `UNKNOWN`.
 *
 * Publishes `plugin`, `status`, `status_code`, `output`, `check_time` (Unix seconds), `perfdata`, `runtime` (seconds),
 * `history` and `annotations`.
 */
export const kind: WatcherKind = {
  type: "nagios",
  create(context) {
    const properties = readProperties(context.definition.properties, nagiosProperties);
    return new NagiosWatcher(context, properties, intervalOf(context.definition, 0));
  },
};

interface NagiosProperties extends CheckProperties {
  annotations: Record<string, string>;
}

function nagiosProperties(properties: Properties): NagiosProperties {
  const [plugin, builtin] = [properties.text("plugin"), properties.text("builtin")];
  if (plugin !== "" && builtin !== "") throw new Error("cannot set plugin and builtin");
  if (plugin === "" && builtin === "") throw new Error("plugin or builtin is required");
  const gossFile = properties.text("gossfile");
  if (builtin === "goss" && gossFile === "") {
    throw new Error("gossfile property is required for the goss builtin check");
  }
  const lastMessage = properties.duration("last_message");
  if (builtin === "choria_status" && lastMessage === 0) {
    throw new Error("last_message property is required for the choria_status builtin check");
  }
  return {
    plugin,
    builtin,
    gossFile,
    lastMessage,
    timeout: properties.duration("timeout"),
    certificateExpires: properties.duration("pubcert_expire"),
    tokenExpires: properties.duration("token_expire"),
    annotations: properties.table("annotations"),
  };
}

interface HistoryEntry {
  execute: string;
  status: number;
  perfdata?: PerfData[];
}

class NagiosWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: NagiosProperties;
  readonly #interval: number;
  readonly #pulse: Pulse;
  readonly #history: HistoryEntry[] = [];
  #status = notChecked;
  #plugin = "";
  #output = "";
  /** Milliseconds since the epoch. */
  #checkedAt: number | undefined;
  #perfData: PerfData[] | undefined;
  #runtime = 0;
  #isForced = false;

  constructor(context: WatcherContext, properties: NagiosProperties, interval: number) {
    this.#context = context;
    this.#properties = properties;
    this.#interval = interval;
    this.#pulse = new Pulse(context, {
      interval,
      ...(interval > 0 ? { first: Math.floor(context.machine.node.random() * interval) } : {}),
      beat: () => this.#beat(),
    });
  }

  start(): void {
    this.#tellPrometheus(unknown);
    this.#pulse.start();
  }

  stateChanged(): void {
    const { state } = this.#context.machine;
    if (state === "FORCE_CHECK") {
      this.#isForced = true;
      this.#pulse.poke();
      return;
    }
    // A state that is no status, as MAINTENANCE, raises no alarm.
    this.#status = Math.max(0, statuses.indexOf(state));
    this.#tellPrometheus(this.#status);
  }

  deleted(): void {
    const { node, name } = this.#context.machine;
    textfilesOf(node, this.#context.logger).deleteCheck(name);
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    const status = statuses[this.#status] ?? "NOTCHECKED";
    return {
      fields: {
        plugin: this.#plugin,
        status,
        status_code: this.#status,
        output: this.#output,
        check_time: this.#checkedAt === undefined ? neverChecked : Math.floor(this.#checkedAt / 1_000),
        perfdata: this.#perfData ?? null,
        runtime: this.#runtime,
        history: [...this.#history],
        annotations: this.#properties.annotations,
      },
      text: `${machine.name}#${definition.name} ${status}: ${this.#output}`,
    };
  }

  async #beat(): Promise<void> {
    const isForced = this.#isForced;
    this.#isForced = false;
    if (!isForced && (!this.#context.isActive() || this.#isEarly())) return;
    const { signal, machine, announce, fire } = this.#context;
    const checkedAt = machine.node.clock.now();
    const started = performance.now();
    const check = await makeCheck(this.#context, this.#properties);
    if (signal.aborted) return;
    this.#runtime = Math.round((performance.now() - started) * 1e6) / 1e9;
    this.#checkedAt = checkedAt;
    this.#take(check);
    // A plugin that skipped its check, or says that it made none, changes nothing.
    if (check.code > unknown) return;
    this.#status = check.code;
    this.#remember();
    announce();
    this.#tellPrometheus(check.code);
    await fire(statuses[check.code] ?? "");
  }

  #isEarly(): boolean {
    if (this.#checkedAt === undefined) return false;
    const passed = this.#context.machine.node.clock.now() - this.#checkedAt;
    // Where somebody has set the clock back, nothing is known of how long it is.
    return passed >= 0 && passed < this.#interval - slack;
  }

  #take({ plugin, output }: MadeCheck): void {
    this.#plugin = plugin;
    this.#output = output.slice(0, longestOutput);
    this.#perfData = parsePerfData(output);
  }

  #remember(): void {
    this.#history.push({
      execute: new Date(this.#checkedAt ?? 0).toISOString(),
      status: this.#status,
      ...(this.#perfData === undefined ? {} : { perfdata: this.#perfData }),
    });
    if (this.#history.length > historyLength) this.#history.shift();
  }

  #tellPrometheus(code: number): void {
    const { machine, logger } = this.#context;
    textfilesOf(machine.node, logger).setCheck(machine.name, statuses[code] ?? "", code);
  }
}
