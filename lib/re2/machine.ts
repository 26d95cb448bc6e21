import type { Instructions } from "./program.ts";
import type { Assertion } from "./syntax.ts";

/** Is told of work done, in units of one instruction, so that a caller can stop it by throwing. */
export type WorkMeter = (work: number) => void;

const METER_EVERY = 4096;

interface Threads {
  readonly dense: Int32Array;
  readonly sparse: Int32Array;
  readonly saved: (readonly number[])[];
  size: number;
}

/** Runs instructions over a text in time proportional to both. */
export class Machine {
  readonly #code: Instructions;
  readonly #text: string;
  readonly #slots: number;
  readonly #meter: WorkMeter | undefined;
  #work = 0;

  constructor(code: Instructions, text: string, slots: number, meter: WorkMeter | undefined) {
    this.#code = code;
    this.#text = text;
    this.#slots = slots;
    this.#meter = meter;
  }

  /** Slots of the leftmost match at or after a position, the first in order of preference; undefined without one. */
  run(start: number, anchored: boolean): readonly number[] | undefined {
    const text = this.#text;
    let current = this.#threads();
    let next = this.#threads();
    let found: readonly number[] | undefined;
    for (let pos = start; ; ) {
      if (found === undefined && (!anchored || pos === start)) this.#add(current, 0, pos, this.#initial(pos));
      if (current.size === 0) break;
      const code = pos < text.length ? (text.codePointAt(pos) ?? -1) : -1;
      const after = pos + (code > 0xffff ? 2 : 1);
      next.size = 0;
      found = this.#step(current, next, code, pos, after) ?? found;
      [current, next] = [next, current];
      if (code < 0 || (this.#slots === 0 && found !== undefined)) break;
      pos = after;
    }
    this.#report();
    return found;
  }

  #initial(pos: number): readonly number[] {
    return this.#slots === 0 ? [] : [pos];
  }

  #threads(): Threads {
    const n = this.#code.length;
    return { dense: new Int32Array(n), sparse: new Int32Array(n), saved: [], size: 0 };
  }

  #count(work: number): void {
    this.#work += work;
    if (this.#work >= METER_EVERY) this.#report();
  }

  #report(): void {
    this.#meter?.(this.#work);
    this.#work = 0;
  }

  /** Moves all threads over a character; the slots of a match when one ends here. */
  #step(current: Threads, next: Threads, code: number, pos: number, after: number): readonly number[] | undefined {
    this.#count(current.size + 1);
    for (let i = 0; i < current.size; i++) {
      const instruction = this.#code[current.dense[i] ?? 0];
      if (instruction?.op === "match") return this.#ended(current.saved[i] ?? [], pos);
      if (instruction?.op === "class" && code >= 0 && instruction.chars.has(code)) {
        this.#add(next, instruction.next, after, current.saved[i] ?? []);
      }
    }
    return undefined;
  }

  #ended(saved: readonly number[], pos: number): readonly number[] {
    if (this.#slots === 0) return saved;
    const out = saved.slice();
    out[1] = pos;
    return out;
  }

  /** Adds a thread and all it leads to without reading, in order of preference. */
  #add(list: Threads, start: number, pos: number, slots: readonly number[]): void {
    const stack: [number, readonly number[]][] = [[start, slots]];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [pc, saved] = top;
      const seen = list.sparse[pc] ?? 0;
      if (seen < list.size && list.dense[seen] === pc) continue;
      list.sparse[pc] = list.size;
      list.dense[list.size] = pc;
      list.saved[list.size++] = saved;
      this.#work++;
      const instruction = this.#code[pc];
      switch (instruction?.op) {
        case "jump":
          stack.push([instruction.next, saved]);
          break;
        case "split":
          stack.push([instruction.second, saved], [instruction.first, saved]);
          break;
        case "assert":
          if (holds(instruction.what, this.#text, pos)) stack.push([instruction.next, saved]);
          break;
        case "save": {
          stack.push([instruction.next, this.#save(saved, instruction.slot, pos)]);
          break;
        }
      }
    }
  }

  #save(saved: readonly number[], slot: number, pos: number): readonly number[] {
    if (slot >= this.#slots) return saved;
    const copy = saved.slice();
    copy[slot] = pos;
    return copy;
  }
}

function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}

function holds(what: Assertion, text: string, pos: number): boolean {
  switch (what) {
    case "begin":
      return pos === 0;
    case "end":
      return pos === text.length;
    case "lineBegin":
      return pos === 0 || text.charCodeAt(pos - 1) === 10;
    case "lineEnd":
      return pos === text.length || text.charCodeAt(pos) === 10;
    default: {
      const before = pos > 0 && isWord(text.charCodeAt(pos - 1));
      const after = pos < text.length && isWord(text.charCodeAt(pos));
      return (before !== after) === (what === "word");
    }
  }
}
