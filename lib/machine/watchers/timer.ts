import { formatDuration } from "../../std/mod.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { readProperties } from "./_properties.ts";

/** Shortest timer, in milliseconds; shorter ones are raised to it. */
const shortest = 1_000;

/**
 * Runs down while the machine is in its states, then fires the fail transition. Publishes `state` (`running` or
 * `stopped`) and `timer` (nanoseconds) when it starts and when it ends, in time or early.
 *
 * Properties: `timer` (duration, at least 1s), `splay` (run a random part of it, chosen once).
 */
export const kind: WatcherKind = {
  type: "timer",
  create(context) {
    const time = readProperties(context.definition.properties, (properties) => {
      const timer = Math.max(shortest, properties.duration("timer"));
      return properties.flag("splay") ? Math.floor(context.machine.node.random() * timer) : timer;
    });
    if (context.definition.successTransition !== "") throw new Error("timer watcher does not support success events");
    return new TimerWatcher(context, time);
  },
};

class TimerWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #time: number;
  #running: Disposable | undefined;

  constructor(context: WatcherContext, time: number) {
    this.#context = context;
    this.#time = time;
  }

  start(): void {
    this.#context.signal.addEventListener("abort", () => this.#clear(), { once: true });
    if (this.#context.isActive()) this.#begin();
  }

  stateChanged(): void {
    if (this.#context.isActive()) this.#begin();
    else if (this.#clear()) this.#context.announce();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    const state = this.#running === undefined ? "stopped" : "running";
    return {
      fields: { state, timer: Math.round(this.#time * 1e6) },
      text: `timer ${machine.name}#${definition.name} state: ${state} with ${formatDuration(this.#time)} timer`,
    };
  }

  #begin(): void {
    const { signal, machine, announce } = this.#context;
    this.#clear();
    if (signal.aborted) return;
    this.#running = machine.node.clock.after(this.#time, () => void this.#end());
    announce();
  }

  async #end(): Promise<void> {
    this.#clear();
    this.#context.announce();
    await this.#context.fail();
  }

  #clear(): boolean {
    if (this.#running === undefined) return false;
    this.#running[Symbol.dispose]();
    this.#running = undefined;
    return true;
  }
}
