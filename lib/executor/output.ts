import type { Clock } from "../std/mod.ts";

/** What is printed is told once it is this long, in bytes, */
const enough = 1_024;
/** or waits for this long, in milliseconds. */
const patience = 1_000;

/**
 * Gathers what a stream prints into pieces that end with a line, so that a command which prints a line at a time does
 * not send a message a line.
 */
export class OutputPieces implements Disposable {
  readonly #tell: (data: Uint8Array) => void;
  readonly #timer: Disposable;
  #held: Uint8Array[] = [];
  #bytes = 0;

  /** @param tell Takes each piece. */
  constructor(clock: Clock, tell: (data: Uint8Array) => void) {
    this.#tell = tell;
    this.#timer = clock.every(patience, () => this.#flush());
  }

  /** Take what was printed. */
  add(data: Uint8Array): void {
    this.#held.push(data);
    this.#bytes += data.length;
    if (this.#bytes > enough) this.#flush();
  }

  /** Tell the rest, whether or not its line has ended. */
  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    if (this.#bytes > 0) this.#tell(Buffer.concat(this.#held));
    this.#held = [];
    this.#bytes = 0;
  }

  #flush(): void {
    if (this.#bytes === 0) return;
    const all = Buffer.concat(this.#held);
    const lineEnd = all.lastIndexOf(0x0a) + 1;
    // A line that has grown long is told in parts.
    const end = lineEnd > 0 ? lineEnd : all.length > 16 * enough ? all.length : 0;
    if (end === 0) return;
    this.#held = end < all.length ? [all.subarray(end)] : [];
    this.#bytes = all.length - end;
    this.#tell(all.subarray(0, end));
  }
}
