import { errorText } from "../std/mod.ts";
import type { WatcherContext } from "./watcher.ts";

/** When a {@link Pulse} beats. */
export interface PulseOptions {
  /** Milliseconds between beats; 0 beats only when told to. */
  interval: number;
  /**
   * Milliseconds until the first beat; later ones follow it at the interval.
   * @default the interval
   */
  first?: number;
  /** What is done at each beat. What it throws is logged. */
  beat(): Promise<void>;
}

/** Does one thing at an interval and whenever it is told to, never twice at a time; beats that come meanwhile merge. */
export class Pulse {
  readonly #context: WatcherContext;
  readonly #options: PulseOptions;
  #isBusy = false;
  #isWanted = false;

  constructor(context: WatcherContext, options: PulseOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Begin to beat, until the context's signal aborts. */
  start(): void {
    const { interval, first = interval } = this.#options;
    const { signal, machine } = this.#context;
    if (signal.aborted || (interval === 0 && this.#options.first === undefined)) return;
    const { clock } = machine.node;
    let timer = clock.after(first, () => {
      this.poke();
      if (interval > 0) timer = clock.every(interval, () => this.poke());
    });
    signal.addEventListener("abort", () => timer[Symbol.dispose](), { once: true });
  }

  /** Beat now, or once the beat that goes on is over. */
  poke(): void {
    this.#isWanted = true;
    if (!this.#isBusy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    while (this.#isWanted && !this.#context.signal.aborted) {
      this.#isWanted = false;
      try {
        await this.#options.beat();
      } catch (error) {
        this.#context.logger.error("A watcher failed", { reason: errorText(error) });
      }
    }
    this.#isBusy = false;
  }
}
