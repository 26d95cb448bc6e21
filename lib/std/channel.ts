/**
 * Hands values from whoever produces them to one `for await` loop, in order, holding those that the loop has not
 * come to yet.
 */
export class Channel<T> implements AsyncIterableIterator<T> {
  #held: T[] = [];
  #at = 0;
  #isEnded = false;
  #error: unknown;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Hand over a value; after the end it is dropped. */
  push(value: T): void {
    if (this.#isEnded) return;
    this.#held.push(value);
    this.#wake();
  }

  /** There will be no more; what is held is still handed out. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** End by an error, which the loop throws after what is held. */
  fail(error: unknown): void {
    if (!this.#isEnded) this.#error = error ?? new Error("The channel failed");
    this.end();
  }

  async next(): Promise<IteratorResult<T>> {
    for (;;) {
      if (this.#at < this.#held.length) return { done: false, value: this.#take() };
      if (this.#error !== undefined) throw this.#takeError();
      if (this.#isEnded) return { done: true, value: undefined };
      this.#waiting ??= Promise.withResolvers();
      await this.#waiting.promise;
    }
  }

  async return(): Promise<IteratorResult<T>> {
    this.#held = [];
    this.#at = 0;
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): T {
    const value = this.#held[this.#at++] as T;
    if (this.#at > 1_024) {
      this.#held = this.#held.slice(this.#at);
      this.#at = 0;
    }
    return value;
  }

  #takeError(): unknown {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
