import type { NatsConnection } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import type { Clock, Logger } from "../std/mod.ts";
import { natsErrorText } from "./_api.ts";
import type { Origin } from "./origin.ts";

/** What {@link TargetEnd} needs. */
export interface TargetEndOptions {
  connection: Connection;
  /** Find the last copy in the target behind a sequence of the target. */
  lastCopy: (after: number) => Promise<Origin | undefined>;
  clock: Clock;
  logger: Logger;
  /** Ends the looking. */
  signal: AbortSignal;
}

/** How long the target's end has to stay where it is before it is believed, while what was sent may still arrive. */
const settling = 1_000;

/** The end of the target stream: how far copies have come, as it says itself. */
export class TargetEnd {
  readonly #options: TargetEndOptions;
  /** The server process that the copies in question were sent to, and its address. */
  #server = { id: "", address: "" };
  /** The target's sequence of the last copy that it acknowledged. */
  #known = 0;

  constructor(options: TargetEndOptions) {
    this.#options = options;
  }

  /** Copies are on their way to the server that is connected now. */
  sent(): void {
    this.#server = serverOf(this.#options.connection.nats);
  }

  /** The target has acknowledged a copy. */
  stored(sequence: number): void {
    this.#known = Math.max(this.#known, sequence);
  }

  /**
   * The last copy behind what was acknowledged, once it can be said. A server that lives on may still have bytes of the
   * old connection before it, or on their way to its cluster: the end is believed when it has not moved for a while. One
   * that was started anew has nothing left.
   *
   * @param isQuestion Whether anything may be on its way.
   */
  async read(isQuestion: boolean): Promise<Origin | undefined> {
    const { signal } = this.#options;
    return this.insist(async () => {
      const { clock, connection, lastCopy } = this.#options;
      let last = await lastCopy(this.#known);
      while (isQuestion && !hasRestarted(connection.nats, this.#server) && !signal.aborted) {
        await clock.sleep(settling, signal);
        const next = await lastCopy(this.#known);
        if (next?.sequence === last?.sequence) break;
        last = next;
      }
      return last;
    });
  }

  /** Ask the target something until it answers; undefined where it has not until the signal aborts. */
  async insist<T>(question: () => Promise<T>): Promise<T | undefined> {
    const { clock, logger, signal } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        return await question();
      } catch (error) {
        const fields = { reason: natsErrorText(error) };
        if (attempt === 5) logger.warn("The end of the target stream cannot be read", fields);
        else logger.debug("The end of the target stream cannot be read yet", fields);
      }
      await clock.sleep(Math.min(100 * 2 ** attempt, 5_000), signal);
    }
    return undefined;
  }
}

function serverOf(nats: NatsConnection): { id: string; address: string } {
  return { id: nats.info?.server_id ?? "", address: nats.getServer() };
}

/** Whether another process answers where the one was that is meant. */
function hasRestarted(nats: NatsConnection, before: { id: string; address: string }): boolean {
  const { id, address } = serverOf(nats);
  return address === before.address && id !== before.id;
}
