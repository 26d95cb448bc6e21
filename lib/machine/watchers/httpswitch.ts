import type { JsonObject } from "../../std/mod.ts";
import type { SwitchDevice } from "../devices.ts";
import { machineEventData } from "../events.ts";
import type { WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { type Properties, readProperties } from "./_properties.ts";

/**
 * A switch that is pressed over HTTP. On fires the success transition, off the fail transition; what it shows follows
 * from the state of the machine. Publishes `status` (`unknown`, `on`, `off`), `is_on` and `annotations` when that
 * changes what it shows, or confirms it.
 */
export const kind: WatcherKind = {
  type: "httpswitch",
  create: (context) => new HttpSwitchWatcher(context, readProperties(context.definition.properties, switchProperties)),
};

interface SwitchProperties {
  onWhen: readonly string[];
  offWhen: readonly string[];
  disableWhen: readonly string[];
  annotations: Record<string, string>;
}

function switchProperties(properties: Properties): SwitchProperties {
  return {
    onWhen: properties.list("on_when"),
    offWhen: properties.list("off_when"),
    disableWhen: properties.list("disable_when"),
    annotations: properties.table("annotations"),
  };
}

class HttpSwitchWatcher implements SwitchDevice {
  readonly device = "switch";
  readonly #context: WatcherContext;
  readonly #properties: SwitchProperties;
  #status: "unknown" | "on" | "off" = "unknown";

  constructor(context: WatcherContext, properties: SwitchProperties) {
    this.#context = context;
    this.#properties = properties;
  }

  get status(): "unknown" | "on" | "off" {
    return this.#status;
  }

  get detail(): JsonObject {
    const { machine, definition } = this.#context;
    const { id, version, node } = machine;
    return machineEventData({
      kind: "watcher",
      identity: node.identity,
      id,
      version,
      timestamp: Math.floor(node.clock.now() / 1_000),
      machine: machine.name,
      type: definition.type,
      name: definition.name,
      fields: this.snapshot().fields,
    });
  }

  start(): void {
    this.stateChanged();
  }

  stateChanged(): void {
    const { state } = this.#context.machine;
    const isOn = this.#properties.onWhen.includes(state);
    if (!this.#context.isActive() || (!isOn && !this.#properties.offWhen.includes(state))) return;
    this.#status = isOn ? "on" : "off";
    this.#context.announce();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    return {
      fields: { status: this.#status, is_on: this.#status === "on", annotations: this.#properties.annotations },
      text: `${machine.name}#${definition.name} previous: ${this.#status}`,
    };
  }

  async press(isOn: boolean): Promise<void> {
    const { isActive, machine, succeed, fail } = this.#context;
    if (!isActive()) throw new Error("watcher is not in an active state");
    if (this.#properties.disableWhen.includes(machine.state)) throw new Error("watcher is disabled");
    await (isOn ? succeed() : fail());
  }
}
