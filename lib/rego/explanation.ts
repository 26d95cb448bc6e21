import type { Tracer } from "./context.ts";
import type { Program } from "./program.ts";
import { pathText } from "./tree.ts";

/** What became of one body of a rule. */
export interface RuleExplanation {
  /** Full name, such as `data.io.choria.aaasvc.allow`. */
  readonly rule: string;
  readonly filename: string;
  readonly row: number;
  readonly isDefault: boolean;
  /** Whether the body held. */
  readonly held: boolean;
  /** The expression that did not hold, the furthest one that was reached. */
  readonly stoppedAt?: { readonly row: number; readonly col: number; readonly text: string };
}

/** Why an evaluation came out as it did. */
export interface RegoExplanation {
  readonly query: string;
  /** The rules that were looked at, in the order of the text. */
  readonly rules: readonly RuleExplanation[];
  /** The same as lines for a log. */
  readonly lines: readonly string[];
}

/** Remembers how far the bodies of rules got. */
export class RecordingTracer implements Tracer {
  readonly #held = new Map<number, boolean>();
  readonly #reached = new Map<number, number>();

  reached(branch: number, literal: number): void {
    if (literal > (this.#reached.get(branch) ?? -1)) this.#reached.set(branch, literal);
  }

  decided(branch: number, holds: boolean): void {
    this.#held.set(branch, holds || this.#held.get(branch) === true);
  }

  /** Whether a body held; undefined when it was never looked at. */
  held(branch: number): boolean | undefined {
    return this.#held.get(branch);
  }

  /** The furthest literal of a body that was looked at. */
  furthest(branch: number): number {
    return this.#reached.get(branch) ?? 0;
  }
}

/** Puts what a tracer recorded into words. */
export function explain(program: Program, query: string, tracer: RecordingTracer): RegoExplanation {
  const rules = ruleExplanations(program, tracer).sort((a, b) => a.row - b.row);
  return { query, rules, lines: rules.map(line) };
}

function ruleExplanations(program: Program, tracer: RecordingTracer): RuleExplanation[] {
  const out: RuleExplanation[] = [];
  const interpreter = program.interpreter(true);
  for (const group of program.groups) {
    for (const { branches, isDefault } of group.defs) {
      for (const branch of branches) {
        const id = interpreter.branchId(branch);
        const held = tracer.held(id);
        if (held === undefined) continue;
        const { filename, row } = branch.at;
        const base = { rule: pathText(group.keys), filename, row, isDefault, held };
        const literal = branch.literals[tracer.furthest(id)];
        if (held || literal === undefined) out.push(base);
        else out.push({ ...base, stoppedAt: { row: literal.at.row, col: literal.at.col, text: literal.text } });
      }
    }
  }
  return out;
}

function line({ rule, filename, row, isDefault, held, stoppedAt }: RuleExplanation): string {
  const where = `${filename}:${row}`;
  if (isDefault) return `${rule} (${where}) took its default`;
  if (held) return `${rule} (${where}) held`;
  if (stoppedAt === undefined) return `${rule} (${where}) did not hold`;
  return `${rule} (${where}) did not hold: line ${stoppedAt.row}: ${stoppedAt.text.replace(/\s+/g, " ").slice(0, 200)}`;
}
