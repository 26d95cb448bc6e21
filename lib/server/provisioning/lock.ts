import type { Clock } from "../../std/mod.ts";

/** Time for which the lock stays with a holder that is silent. */
const holdMs = 120_000;

/** Lets one provisioner at a time change a node. Holders extend it by each use. */
export class ProvisioningLock {
  readonly #clock: Clock;
  #holder = "";
  #until = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the holder has the lock or could take it. */
  isFreeFor(holder: string): boolean {
    return this.#holder === holder || this.#clock.now() >= this.#until;
  }

  /** Take or extend the lock. Gives false when somebody else has it. */
  take(holder: string): boolean {
    if (!this.isFreeFor(holder)) return false;
    this.#holder = holder;
    this.#until = this.#clock.now() + holdMs;
    return true;
  }
}
