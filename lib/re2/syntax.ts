import type { CharClass } from "./char_class.ts";

/** Conditions on a position. */
export type Assertion = "begin" | "end" | "lineBegin" | "lineEnd" | "word" | "notWord";

/** A parsed expression. */
export type Node =
  | { readonly t: "empty" }
  | { readonly t: "class"; readonly chars: CharClass }
  | { readonly t: "concat" | "alternate"; readonly nodes: readonly Node[] }
  | { readonly t: "repeat"; readonly node: Node; readonly min: number; readonly max: number; readonly greedy: boolean }
  | { readonly t: "group"; readonly node: Node; readonly index: number }
  | { readonly t: "assert"; readonly what: Assertion };

/** What a pattern holds. */
export interface Syntax {
  readonly node: Node;
  /** Names of the groups by index; the first stands for the whole match. */
  readonly groups: readonly string[];
}

/** A pattern that is not valid; `position` counts UTF-16 units from 0. */
export class Re2Error extends Error {
  readonly pattern: string;
  readonly position: number;

  constructor(problem: string, pattern: string, position: number) {
    super(`error parsing regexp: ${problem}`);
    this.name = "Re2Error";
    this.pattern = pattern;
    this.position = position;
  }
}
