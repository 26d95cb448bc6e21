import type { Context } from "./context.ts";
import type { Condition, RuleDef, Simple } from "./ir.ts";
import { keyOf, lookup, type RegoKey, type RegoScalar, type RegoValue } from "./values.ts";

const WORTH_IT = 4;

/** Picks the rules of a group that can hold for an input, by one field that many of them compare. */
export class RuleIndex {
  readonly #path: readonly RegoScalar[];
  readonly #byValue = new Map<RegoKey, readonly number[]>();
  readonly #others: readonly number[];

  private constructor(path: readonly RegoScalar[], wanted: ReadonlyMap<number, RegoScalar>, count: number) {
    this.#path = path;
    this.#others = Array.from({ length: count }, (_, i) => i).filter((i) => !wanted.has(i));
    const own = new Map<RegoKey, number[]>();
    for (const [i, value] of wanted) {
      const key = keyOf(value);
      const list = own.get(key);
      if (list === undefined) own.set(key, [i]);
      else list.push(i);
    }
    for (const [key, list] of own)
      this.#byValue.set(
        key,
        [...list, ...this.#others].sort((a, b) => a - b),
      );
  }

  /** The index of rules, undefined where none would help. */
  static of(defs: readonly RuleDef[]): RuleIndex | undefined {
    if (defs.length < WORTH_IT) return undefined;
    const fields = new Map<string, { path: readonly RegoScalar[]; wanted: Map<number, RegoScalar> }>();
    for (const [i, def] of defs.entries()) {
      for (const { path, value } of def.sketch?.conditions() ?? conditionsOf(def)) {
        const key = path.join("\u0000");
        const field = fields.get(key) ?? { path, wanted: new Map<number, RegoScalar>() };
        fields.set(key, field);
        if (!field.wanted.has(i)) field.wanted.set(i, value);
      }
    }
    const [best] = [...fields.values()].sort((a, b) => b.wanted.size - a.wanted.size);
    if (best === undefined || best.wanted.size < WORTH_IT) return undefined;
    return new RuleIndex(best.path, best.wanted, defs.length);
  }

  /** Numbers of the rules that can hold now, in order. */
  candidates(c: Context): readonly number[] {
    let value: RegoValue | undefined = c.input;
    for (const step of this.#path) value = value === undefined ? undefined : lookup(value, step);
    if (value === undefined) return this.#others;
    return this.#byValue.get(keyOf(value)) ?? this.#others;
  }
}

/** Comparisons of input fields with constants without which a rule cannot hold. */
function* conditionsOf(def: RuleDef): Generator<Condition> {
  const [branch, second] = def.branches;
  if (branch === undefined || second !== undefined) return;
  for (const literal of branch.literals) {
    if (literal.op !== "ref" || literal.root.k !== "input" || literal.out === undefined) continue;
    const path = literal.path.map(scalarOf);
    const value = scalarOf(literal.out);
    if (value === undefined || path.length === 0 || path.includes(undefined)) continue;
    yield { path: path.filter((step) => step !== undefined), value };
  }
}

function scalarOf(term: Simple): RegoScalar | undefined {
  if (term.k !== "const") return undefined;
  return typeof term.value === "object" && term.value !== null ? undefined : (term.value as RegoScalar);
}
