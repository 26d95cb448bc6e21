import type { WorkMeter } from "./machine.ts";
import type { Instructions } from "./program.ts";

const MAX_STATES = 256;
const METER_EVERY = 4096;

interface State {
  readonly pcs: readonly number[];
  /** Whether a match ended before this state. */
  readonly accepts: boolean;
  /** Whether a match ends here when the text does. */
  readonly acceptsAtEnd: boolean;
  readonly ascii: (State | undefined)[];
}

/** Answers whether a text holds a match, by states made when they are needed. */
export class Searcher {
  readonly #code: Instructions;
  readonly #usable: boolean;
  #states = new Map<string, State>();
  #first: State | undefined;

  constructor(code: Instructions) {
    this.#code = code;
    this.#usable = !code.some((each) => each.op === "assert" && each.what !== "begin" && each.what !== "end");
  }

  /** Whether the text holds a match; undefined when the pattern needs more than states can tell. */
  test(text: string, meter: WorkMeter | undefined): boolean | undefined {
    if (!this.#usable) return undefined;
    this.#first ??= this.#state(this.#closure([0], true), true);
    let state = this.#first;
    let work = 0;
    for (let pos = 0; ; ) {
      if (state.accepts) return true;
      if (pos >= text.length) return state.acceptsAtEnd;
      const unit = text.charCodeAt(pos);
      const code = unit < 0xd800 ? unit : (text.codePointAt(pos) ?? unit);
      state = (code < 128 ? state.ascii[code] : undefined) ?? this.#next(state, code, meter);
      pos += code > 0xffff ? 2 : 1;
      if (meter !== undefined && ++work === METER_EVERY) {
        meter(work);
        work = 0;
      }
    }
  }

  #next(state: State, code: number, meter: WorkMeter | undefined): State {
    meter?.(state.pcs.length);
    const targets: number[] = [];
    for (const pc of state.pcs) {
      const instruction = this.#code[pc];
      if (instruction?.op === "class" && instruction.chars.has(code)) targets.push(instruction.next);
    }
    const reached = this.#closure([0, ...targets], false);
    meter?.(reached.size);
    const next = this.#state(reached, false);
    if (code < 128) state.ascii[code] = next;
    return next;
  }

  #state(pcs: Set<number>, atBegin: boolean): State {
    const key = `${atBegin} ${[...pcs].sort((a, b) => a - b).join(" ")}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= MAX_STATES) {
      this.#states = new Map();
      this.#first = undefined;
    }
    const list = [...pcs];
    const isMatch = (pc: number) => this.#code[pc]?.op === "match";
    const state: State = {
      pcs: list.filter((pc) => this.#code[pc]?.op === "class"),
      accepts: list.some(isMatch),
      acceptsAtEnd: [...this.#atEnd(pcs, atBegin)].some(isMatch),
      ascii: [],
    };
    this.#states.set(key, state);
    return state;
  }

  /** All instructions reached without reading; `begin` holds at the start of the text only, `end` not yet. */
  #closure(starts: readonly number[], atBegin: boolean): Set<number> {
    return this.#reach(starts, (what) => atBegin && what === "begin");
  }

  #atEnd(pcs: Set<number>, atBegin: boolean): Set<number> {
    const beyond = [...pcs].flatMap((pc) => {
      const instruction = this.#code[pc];
      return instruction?.op === "assert" && instruction.what === "end" ? [instruction.next] : [];
    });
    return this.#reach(beyond, (what) => what === "end" || (atBegin && what === "begin"));
  }

  #reach(starts: readonly number[], holds: (what: string) => boolean): Set<number> {
    const seen = new Set<number>();
    const stack = [...starts];
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      if (seen.has(pc)) continue;
      seen.add(pc);
      const instruction = this.#code[pc];
      if (instruction?.op === "split") stack.push(instruction.first, instruction.second);
      else if (instruction?.op === "jump" || instruction?.op === "save") stack.push(instruction.next);
      else if (instruction?.op === "assert" && holds(instruction.what)) stack.push(instruction.next);
    }
    return seen;
  }
}
