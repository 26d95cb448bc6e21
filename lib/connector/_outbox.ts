import type { PublishOptions } from "./options.ts";

/** A message that waits for the connection to come back. */
export interface HeldMessage {
  subject: string;
  data: Uint8Array;
  options: PublishOptions | undefined;
}

/** Messages sent while there is no broker, in their order, up to so many bytes. */
export class Outbox {
  readonly #max: number;
  #held: HeldMessage[] = [];
  #bytes = 0;

  /** @param max Most bytes of data held. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Hold a message; false when there is no room for it. */
  hold(message: HeldMessage): boolean {
    if (this.#bytes + message.data.length > this.#max) return false;
    this.#held.push(message);
    this.#bytes += message.data.length;
    return true;
  }

  /** Take everything out. */
  take(): HeldMessage[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return held;
  }
}
