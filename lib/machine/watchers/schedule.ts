import { errorText, formatDuration } from "../../std/mod.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { CronSchedule } from "./_cron.ts";
import { type Properties, readProperties } from "./_properties.ts";
import { Windows } from "./_windows.ts";

/** Milliseconds from the start until the time is first looked at. */
const firstLook = 500;
/** Longest time between looks, in milliseconds: hosts sleep, and clocks are set. */
const longestWait = 30_000;
const shortestDuration = 1_000;
const defaultDuration = 60_000;

/**
 * Is on for a while from each of some times, and off between them. Being on fires the success transition, being off the
 * fail transition, each when it begins and when the machine comes back to the watcher's states. Publishes `state`
 * (`unknown`, `off`, `on`).
 */
export const kind: WatcherKind = {
  type: "schedule",
  create(context) {
    return new ScheduleWatcher(context, readProperties(context.definition.properties, scheduleProperties));
  },
};

interface ScheduleProperties {
  schedules: readonly CronSchedule[];
  duration: number;
  splay: number;
  skipsReenter: boolean;
}

function scheduleProperties(properties: Properties): ScheduleProperties {
  const given = properties.duration("duration");
  const duration = given < shortestDuration ? defaultDuration : given;
  const splay = properties.duration("start_splay");
  if (splay > duration / 2) {
    const [start, half] = [formatDuration(splay), formatDuration(duration)];
    throw new Error(`start splay ${start} is bigger than half the duration ${half}`);
  }
  const specs = properties.list("schedules");
  if (specs.length === 0) throw new Error("no schedules defined");
  const skipsReenter = properties.flag("skip_trigger_on_reenter");
  return { schedules: specs.map(readSchedule), duration, splay: Math.max(0, splay), skipsReenter };
}

function readSchedule(spec: string): CronSchedule {
  try {
    return new CronSchedule(spec);
  } catch (error) {
    throw new Error(`could not parse '${spec}': ${errorText(error)}`, { cause: error });
  }
}

class ScheduleWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: ScheduleProperties;
  readonly #pulse: Pulse;
  #windows: Windows | undefined;
  #wait: Disposable | undefined;
  #state: "unknown" | "off" | "on" = "unknown";
  /** What the last look came to. */
  #previous: "unknown" | "skipped" | "off" | "on" = "unknown";
  /** Whether the success of the window that is open now was fired. */
  #isTold = false;

  constructor(context: WatcherContext, properties: ScheduleProperties) {
    this.#context = context;
    this.#properties = properties;
    this.#pulse = new Pulse(context, { interval: 0, beat: () => this.#look() });
  }

  start(): void {
    const { machine, signal } = this.#context;
    const { clock, random } = machine.node;
    this.#windows = new Windows({ ...this.#properties, random }, clock.now());
    signal.addEventListener("abort", () => this.#wait?.[Symbol.dispose](), { once: true });
    this.#lookIn(firstLook);
  }

  stateChanged(): void {
    this.#pulse.poke();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    const state = this.#state;
    return { fields: { state }, text: `${machine.name}#${definition.name} schedule state: ${state}` };
  }

  #lookIn(ms: number): void {
    this.#wait?.[Symbol.dispose]();
    if (this.#context.signal.aborted) return;
    this.#wait = this.#context.machine.node.clock.after(ms, () => this.#pulse.poke());
  }

  async #look(): Promise<void> {
    const { machine, isActive, announce, succeed, fail } = this.#context;
    const now = machine.node.clock.now();
    const isOpen = this.#windows?.isOpen(now) === true;
    this.#lookIn(Math.min((this.#windows?.nextChange(now) ?? now) - now, longestWait));
    if (isOpen) this.#state = "on";
    else if (this.#state === "on") this.#state = "off";
    if (!isOpen) this.#isTold = false;
    if (!isActive()) {
      this.#previous = "skipped";
      return;
    }
    if (this.#state === this.#previous) return;
    this.#previous = this.#state;
    announce();
    if (!isOpen) return fail();
    if (this.#isTold && this.#properties.skipsReenter) return;
    this.#isTold = true;
    await succeed();
  }
}
