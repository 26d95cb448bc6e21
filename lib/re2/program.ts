import type { CharClass } from "./char_class.ts";
import { type Assertion, type Node, Re2Error } from "./syntax.ts";

/** One instruction; targets are numbers of instructions. */
export type Instruction =
  | { readonly op: "class"; readonly chars: CharClass; next: number }
  | { readonly op: "split"; first: number; second: number }
  | { readonly op: "save"; readonly slot: number; next: number }
  | { readonly op: "assert"; readonly what: Assertion; next: number }
  | { readonly op: "jump"; next: number }
  | { readonly op: "match" };

/** A pattern as instructions; execution starts at 0. */
export type Instructions = readonly Instruction[];

/** Translates a pattern; patterns of more than `limit` instructions are refused. */
export function compileNode(node: Node, limit: number, pattern: string): Instructions {
  const out: Instruction[] = [];
  const emit = (instruction: Instruction): number => {
    if (out.length >= limit) throw new Re2Error("expression too large", pattern, 0);
    return out.push(instruction) - 1;
  };
  const gen = (part: Node): void => {
    switch (part.t) {
      case "empty":
        return;
      case "class": {
        const at = emit({ op: "class", chars: part.chars, next: 0 });
        setNext(out[at], at + 1);
        return;
      }
      case "assert": {
        const at = emit({ op: "assert", what: part.what, next: 0 });
        setNext(out[at], at + 1);
        return;
      }
      case "concat":
        for (const each of part.nodes) gen(each);
        return;
      case "group": {
        const open = emit({ op: "save", slot: part.index * 2, next: 0 });
        setNext(out[open], open + 1);
        gen(part.node);
        const close = emit({ op: "save", slot: part.index * 2 + 1, next: 0 });
        setNext(out[close], close + 1);
        return;
      }
      case "alternate":
        genAlternatives(part.nodes);
        return;
      case "repeat":
        genRepeat(part);
        return;
    }
  };
  const genAlternatives = (nodes: readonly Node[]): void => {
    const jumps: number[] = [];
    for (const [i, each] of nodes.entries()) {
      if (i === nodes.length - 1) {
        gen(each);
        break;
      }
      const split: Instruction = { op: "split", first: 0, second: 0 };
      split.first = emit(split) + 1;
      gen(each);
      jumps.push(emit({ op: "jump", next: 0 }));
      split.second = out.length;
    }
    for (const at of jumps) setNext(out[at], out.length);
  };
  const genOptional = (body: () => void, greedy: boolean): void => {
    const split: Instruction = { op: "split", first: 0, second: 0 };
    const inside = emit(split) + 1;
    body();
    const after = out.length;
    [split.first, split.second] = greedy ? [inside, after] : [after, inside];
  };
  const genRepeat = ({ node: part, min, max, greedy }: Node & { t: "repeat" }): void => {
    for (let i = 0; i < min; i++) gen(part);
    if (max === Number.POSITIVE_INFINITY) {
      const start = out.length;
      genOptional(() => {
        gen(part);
        emit({ op: "jump", next: start });
      }, greedy);
      return;
    }
    const optional = (left: number): void => {
      if (left > 0) {
        genOptional(() => {
          gen(part);
          optional(left - 1);
        }, greedy);
      }
    };
    optional(max - min);
  };
  gen(node);
  emit({ op: "match" });
  return out;
}

function setNext(instruction: Instruction | undefined, next: number): void {
  if (instruction !== undefined && "next" in instruction) instruction.next = next;
}
