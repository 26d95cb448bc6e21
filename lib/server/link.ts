/** What becomes of a server's connection, and who wants to know. */
export class Link {
  readonly #listeners = new Set<() => void>();
  #isFirst = true;
  #restored = 0;

  /** How often the connection was restored. */
  get restored(): number {
    return this.#restored;
  }

  /** The connection has come to be in a state. */
  turn(state: "connected" | "disconnected" | "closed"): void {
    if (state === "connected" && !this.#isFirst) this.#restored++;
    if (state === "connected") this.#isFirst = false;
    for (const listener of this.#listeners) listener();
  }

  /** Call a listener at each change until the handle is disposed. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }
}
