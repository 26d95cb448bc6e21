import type { Msg } from "@nats-io/nats-core";
import { encodeUtf8 } from "../std/mod.ts";

/** How long a request stands, in nanoseconds. */
const expires = 10_000_000_000;

/** What {@link Pulls} needs. */
export interface PullOptions {
  /** Send a request. */
  send: (request: Uint8Array) => void;
  /** Most messages that may be with us. */
  window: number;
  /** Most bytes that one request may bring. */
  maxBytes: number;
}

/** Requests for messages: how many were asked for and have not come yet. */
export class Pulls {
  readonly #options: PullOptions;
  #credits = 0;
  #isPaced = false;

  constructor(options: PullOptions) {
    this.#options = options;
  }

  /** Ask for as many as there is room for beside those that are held, once that is worth a request. */
  ask(held: number): void {
    const { send, window, maxBytes } = this.#options;
    const batch = window - held - this.#credits;
    if (batch < window / 2 || this.#isPaced) return;
    this.#credits += batch;
    send(encodeUtf8(JSON.stringify({ expires, batch, max_bytes: maxBytes })));
  }

  /** A message came. */
  arrived(): void {
    this.#credits = Math.max(0, this.#credits - 1);
  }

  /**
   * A request ended with a status: nothing there, too much to carry, no consumer.
   * @returns whether the consumer is gone, may be, or only has nothing more to say.
   */
  ended({ headers }: Msg): "gone" | "doubtful" | "done" {
    const left = headers?.get("Nats-Pending-Messages") ?? "";
    this.#credits = left === "" ? 0 : Math.max(0, this.#credits - Number(left));
    const description = headers?.description ?? "";
    // Asking again at once would only be told the same.
    this.#isPaced = headers?.code !== 408 && !/MaxBytes|batch completed/i.test(description);
    if (/consumer deleted|leadership/i.test(description)) return "gone";
    return headers?.code === 503 ? "doubtful" : "done";
  }

  /** Some time has passed: what was refused may be asked for again. */
  relax(): void {
    this.#isPaced = false;
  }

  /** Nothing comes of what was asked for. */
  forget(): void {
    this.#credits = 0;
  }
}
