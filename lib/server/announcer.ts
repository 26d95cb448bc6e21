import type { Connection } from "../connector/mod.ts";
import { type EventFormat, newEvent, publishEvent } from "../lifecycle/mod.ts";
import type { HostStats } from "../rpc/mod.ts";
import { type Clock, errorText, type Logger, version } from "../std/mod.ts";

/** Who is announced, and how. */
export interface AnnouncerOptions {
  connection: Pick<Connection, "publish">;
  identity: string;
  /** `server`, `service_host` or `provision_mode_server`. */
  component: string;
  format: EventFormat;
  /** Events are counted here. */
  stats: HostStats;
  clock: Clock;
  logger: Logger;
  /** Gives numbers from 0 up to 1; for tests. */
  random?: () => number;
}

const minute = 60_000;
/** Time between two signs of life. */
const aliveInterval = 30 * minute;

/** Tells the network of the coming and going of a server, in lifecycle events. */
export class Announcer {
  readonly #options: AnnouncerOptions;

  /** @param options Who is announced, and how. */
  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Publish an event of now. What fails is logged. */
  publish(type: "startup" | "alive" | "shutdown" | "provisioned"): void {
    const { connection, identity, component, format, stats, clock, logger } = this.#options;
    const fields = { identity, component };
    const event =
      type === "startup" || type === "alive"
        ? newEvent({ type, ...fields, version }, clock.now())
        : newEvent({ type, ...fields }, clock.now());
    try {
      publishEvent(connection, event, format);
      stats.events++;
    } catch (error) {
      logger.error("A lifecycle event could not be published", { type, reason: errorText(error) });
    }
  }

  /**
   * Publish signs of life every half hour until the handle is disposed, the first after a random number of minutes, so
   * that a fleet which was started together does not speak together.
   */
  keepAlive(): Disposable {
    const { clock, random = Math.random } = this.#options;
    let timer = clock.after(Math.floor(random() * 30) * minute, () => {
      this.publish("alive");
      timer = clock.every(aliveInterval, () => this.publish("alive"));
    });
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }
}
