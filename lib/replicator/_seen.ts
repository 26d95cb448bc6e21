/** Remembers which sequences were taken, the latest 65,536 of them; what is older counts as taken. */
export class SeenSequences {
  readonly #max = 65_536;
  readonly #sequences = new Set<number>();
  /** Everything up to here was forgotten. */
  #floor = 0;

  has(sequence: number): boolean {
    return sequence <= this.#floor || this.#sequences.has(sequence);
  }

  add(sequence: number): void {
    this.#sequences.add(sequence);
    if (this.#sequences.size <= this.#max) return;
    for (const oldest of this.#sequences) {
      this.#sequences.delete(oldest);
      this.#floor = Math.max(this.#floor, oldest);
      return;
    }
  }
}
