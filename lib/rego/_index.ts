import type { Context } from "./context.ts";
import type { Condition, RuleDef, Simple } from "./ir.ts";
import { keyOf, lookup, type RegoKey, type RegoScalar, type RegoValue } from "./values.ts";

const WORTH_IT = 4;
const TOO_MUCH = 1_000_000;
const MOST_FIELDS = 32;

/** A field of the input with the constants that rules compare it with. */
interface Field {
  readonly path: readonly RegoScalar[];
  readonly rules: number[];
  readonly values: RegoScalar[];
}

/** Picks the rules of a group that can hold for an input, by one field that many of them compare. */
export class RuleIndex {
  readonly #path: readonly RegoScalar[];
  readonly #byValue = new Map<RegoKey, number[]>();
  readonly #others: number[] = [];

  private constructor({ path, rules, values }: Field, count: number) {
    this.#path = path;
    let next = 0;
    for (let rule = 0; rule < count; rule++) {
      const value = rules[next] === rule ? values[next++] : undefined;
      if (value === undefined) this.#addEverywhere(rule);
      else this.#add(keyOf(value), rule);
    }
  }

  #add(key: RegoKey, rule: number): void {
    const list = this.#byValue.get(key);
    if (list !== undefined) list.push(rule);
    else this.#byValue.set(key, this.#others.length === 0 ? [rule] : [...this.#others, rule]);
  }

  #addEverywhere(rule: number): void {
    this.#others.push(rule);
    for (const list of this.#byValue.values()) list.push(rule);
  }

  /** The index of rules, undefined where none would help. */
  static of(defs: readonly RuleDef[]): RuleIndex | undefined {
    if (defs.length < WORTH_IT) return undefined;
    const fields: Field[] = [];
    for (const [i, def] of defs.entries()) {
      for (const { path, value } of def.sketch?.conditions() ?? conditionsOf(def)) {
        const field = fieldOf(path, fields);
        if (field === undefined || field.rules[field.rules.length - 1] === i) continue;
        field.rules.push(i);
        field.values.push(value);
      }
    }
    const [best] = fields.sort((a, b) => b.rules.length - a.rules.length);
    if (best === undefined || best.rules.length < WORTH_IT) return undefined;
    const work = best.rules.length * (defs.length - best.rules.length);
    return work > TOO_MUCH ? undefined : new RuleIndex(best, defs.length);
  }

  /** Numbers of the rules that can hold now, in order. */
  candidates(c: Context): readonly number[] {
    let value: RegoValue | undefined = c.input;
    for (const step of this.#path) value = value === undefined ? undefined : lookup(value, step);
    if (value === undefined) return this.#others;
    return this.#byValue.get(keyOf(value)) ?? this.#others;
  }
}

/** The field at a path, which is a new one unless there are too many. */
function fieldOf(path: readonly RegoScalar[], fields: Field[]): Field | undefined {
  for (const field of fields) if (samePath(field.path, path)) return field;
  if (fields.length >= MOST_FIELDS) return undefined;
  const field: Field = { path, rules: [], values: [] };
  fields.push(field);
  return field;
}

function samePath(a: readonly RegoScalar[], b: readonly RegoScalar[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
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
