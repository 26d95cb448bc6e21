import type { Semaphore } from "../std/mod.ts";

/** How the work on a node ended well. */
export type NodeOutcome = "provisioned" | "shutdown" | "upgraded";

/** The helper does not want this node to be provisioned yet. */
export class DeferredError extends Error {
  override readonly name = "DeferredError";

  /** @param message What the helper said. */
  constructor(message: string) {
    super(`configuration defered: ${message}`);
  }
}

/** What the work on one node gets. */
export interface NodeTurn {
  signal: AbortSignal;
  /** Wait, leaving the place to another node meanwhile. */
  rest(ms: number): Promise<void>;
  /** The node answers: get a place among those that are being provisioned. */
  enter(): Promise<void>;
}

/** Where a node is at present: knocked at, or being provisioned. */
export class Place {
  #semaphore: Semaphore;

  private constructor(semaphore: Semaphore) {
    this.#semaphore = semaphore;
  }

  /** Get a place, waiting for it. */
  static async at(semaphore: Semaphore): Promise<Place> {
    await semaphore.acquire();
    return new Place(semaphore);
  }

  /** Give this place up for one elsewhere. */
  async move(semaphore: Semaphore): Promise<void> {
    this.#semaphore.release();
    this.#semaphore = semaphore;
    await semaphore.acquire();
  }

  /** Leave the place to others while `work` runs. */
  async yield(work: () => Promise<void>): Promise<void> {
    this.#semaphore.release();
    await work();
    await this.#semaphore.acquire();
  }

  /** Give the place up for good. */
  leave(): void {
    this.#semaphore.release();
  }
}
