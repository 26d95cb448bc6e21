import type { Msg, MsgHdrs } from "@nats-io/nats-core";
import type { CopierOptions } from "./copier.ts";
import { copyOf } from "./copy.ts";
import type { Delivery } from "./delivery.ts";
import type { Passenger } from "./target_writer.ts";

/** Decides which messages are copied, and counts what becomes of them. */
export class Selection {
  readonly #options: CopierOptions;
  #nextTell = 0;

  constructor(options: CopierOptions) {
    this.#options = options;
  }

  /**
   * Decide whether a message is copied.
   * @param finish Called when it is done with.
   */
  look(message: Msg, delivery: Delivery, finish: () => void): Passenger {
    const { metrics } = this.#options;
    const { sequence, time } = delivery;
    const begin = performance.now();
    metrics.total();
    metrics.totalBytes(message.data.length);
    metrics.sequence(sequence);
    if (sequence % 1_000 === 0) this.#tellProgress(delivery);
    const done = () => {
      metrics.seconds((performance.now() - begin) / 1_000);
      finish();
    };
    return this.#isTooOld(time) ? { sequence, time, finish: done } : this.#limited(message, delivery, done);
  }

  #isTooOld(time: number): boolean {
    const { entry, clock, metrics } = this.#options;
    if (entry.maxAge <= 0 || clock.now() - time <= entry.maxAge) return false;
    metrics.tooOld();
    return true;
  }

  #limited(message: Msg, delivery: Delivery, done: () => void): Passenger {
    const { entry, replicator, limiter, metrics, logger } = this.#options;
    const { sequence, time } = delivery;
    const { length: size } = message.data;
    const verdict = limiter?.look({ subject: message.subject, data: message.data, headers: readable(message) });
    if (verdict?.isDue === false) {
      metrics.skipped();
      metrics.skippedBytes(size);
      return { sequence, time, finish: done };
    }
    const finish = (isRefused: boolean) => {
      if (isRefused) {
        metrics.refused();
        limiter?.refused(verdict?.value ?? "");
      } else {
        metrics.copied();
        metrics.copiedBytes(size);
        limiter?.copied(verdict?.value ?? "");
        logger.debug(`Copied message seq ${sequence}, ${delivery.pending} message(s) behind`);
      }
      done();
    };
    return { sequence, time, copy: copyOf(message, delivery, entry, replicator), finish };
  }

  #tellProgress({ sequence, pending }: Delivery): void {
    const { clock, logger } = this.#options;
    // At full speed that would be twenty lines a second.
    if (clock.now() < this.#nextTell) return;
    this.#nextTell = clock.now() + 1_000;
    logger.info(`Handling message ${sequence}, ${pending} message(s) behind`);
  }
}

/** Whether a message is one of the server's own, which says something about a request. */
export function isStatus(message: Msg): boolean {
  return message.data.length === 0 && (readable(message)?.code ?? 0) > 0;
}

/** The headers, where there are any that can be read. */
function readable(message: Msg): MsgHdrs | undefined {
  try {
    return message.headers;
  } catch {
    return undefined;
  }
}
