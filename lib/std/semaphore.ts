/** Lets a limited number of holders in at a time; the rest wait in the order in which they came. */
export class Semaphore {
  readonly #max: number;
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param max At least 1. */
  constructor(max: number) {
    this.#max = Math.max(1, max);
  }

  /** How many are in. */
  get held(): number {
    return this.#held;
  }

  /** Run `work` while being in. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.acquire();
    try {
      return await work();
    } finally {
      this.release();
    }
  }

  /** Come in, waiting for a place. */
  acquire(): Promise<void> {
    if (this.#held < this.#max) {
      this.#held++;
      return Promise.resolve();
    }
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  /** Leave; the next one comes in. */
  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held--;
    else next();
  }
}
