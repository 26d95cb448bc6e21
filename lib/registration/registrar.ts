import { type Clock, errorText, type Logger } from "../std/mod.ts";
import type { RegistrationProvider } from "./provider.ts";

/** When and how a node registers. */
export interface RegistrarOptions {
  providers: readonly RegistrationProvider[];
  /**
   * Publish data to a subject, the usual one where it is empty.
   * @returns false when there is no broker to publish to.
   */
  publish: (data: Uint8Array, target: string) => boolean;
  /** Seconds between two registrations. */
  interval: number;
  /** Spread the first registration over the interval. */
  splay: boolean;
  /** Bytes by which data has to grow or shrink to be published before its time; 0 for never. */
  sizeTrigger: number;
  /** Seconds between two looks at the size. */
  sizeInterval: number;
  clock: Clock;
  logger: Logger;
  /** Gives numbers from 0 up to 1; for tests. */
  random?: () => number;
}

/** How long to wait for a broker before the next try, in milliseconds. */
const retryAfter = 10_000;

/** Clocks and timers differ by a little; a registration is not put off for that. */
const tolerance = 500;

/**
 * Register with every provider, each at its own pace, until the handle is disposed. What fails is logged and tried
 * again at the next turn.
 */
export function startRegistration(options: RegistrarOptions): Disposable {
  const stopping = new AbortController();
  for (const provider of options.providers) void keepRegistered(provider, options, stopping.signal);
  return { [Symbol.dispose]: () => stopping.abort() };
}

async function keepRegistered(
  provider: RegistrationProvider,
  options: RegistrarOptions,
  signal: AbortSignal,
): Promise<void> {
  const { interval, sizeTrigger, sizeInterval, splay, clock, random = Math.random } = options;
  const period = 1_000 * Math.max(1, sizeTrigger > 0 ? Math.min(sizeInterval, interval) : interval);
  const gate = new Gate(options);
  // A fleet that was started together must not register together.
  if (splay) await clock.sleep(Math.floor(random() * interval) * 1_000, signal);
  await clock.sleep(1_000 + random() * 3_000, signal);
  while (!signal.aborted) {
    const isDone = await takeTurn(provider, options, gate);
    await clock.sleep(isDone ? period : Math.min(period, retryAfter * (0.5 + random())), signal);
  }
}

/** Gives false when there is no broker. */
async function takeTurn(provider: RegistrationProvider, options: RegistrarOptions, gate: Gate): Promise<boolean> {
  const { clock, logger } = options;
  try {
    const data = await provider.read();
    if (!gate.opens(data.length, clock.now())) return true;
    if (!options.publish(data, provider.target)) return false;
    gate.passed(data.length, clock.now());
  } catch (error) {
    logger.error("Registration data could not be published", { provider: provider.name, reason: errorText(error) });
  }
  return true;
}

/** Lets data through when its time has come or its size has changed. Each provider has its own. */
class Gate {
  readonly #interval: number;
  readonly #trigger: number;
  #time: number | undefined;
  #size = 0;

  constructor({ interval, sizeTrigger }: Pick<RegistrarOptions, "interval" | "sizeTrigger">) {
    this.#interval = interval * 1_000;
    this.#trigger = sizeTrigger;
  }

  opens(size: number, now: number): boolean {
    if (this.#time === undefined || now - this.#time + tolerance >= this.#interval) return true;
    return this.#trigger > 0 && Math.abs(size - this.#size) >= this.#trigger;
  }

  passed(size: number, now: number): void {
    this.#size = size;
    this.#time = now;
  }
}
