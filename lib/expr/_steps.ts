import type { Re2 } from "../re2/mod.ts";
import { fetch } from "./_access.ts";
import type { Compiled, Step } from "./_compiled.ts";
import { type Kind, kindName, typeName } from "./_kinds.ts";
import type { Literal, Node } from "./_nodes.ts";
import { binary, toBoolean, toText } from "./_operators.ts";
import type { Run } from "./_run.ts";

/** What a function that is handed in takes and gives. */
export interface ExprSignature {
  /** Kinds of the parameters; `any` is not checked. */
  readonly parameters: readonly Kind[];
  /** How many of the parameters have to be there. Default all. */
  readonly required?: number;
  /** What it gives. Default `any`. */
  readonly returns?: Kind;
}

/** Stands for the rest of a chain that a `?.` cut off. */
export const cut = Symbol("cut");

/** How messages about arguments call a kind. */
export function typeLabel(kind: Kind): string {
  return kind === "nil" ? "nil" : kindName(kind);
}

/** The value of a chain, nil where it was cut off. */
export function uncut(given: unknown): unknown {
  return given === cut ? null : given;
}

/** A value that the expression says outright. */
export function literal(given: Literal): Compiled {
  const kinds: Readonly<Record<string, Kind>> = { boolean: "bool", bigint: "int", number: "float", string: "string" };
  return { kind: given instanceof Uint8Array ? "bytes" : (kinds[typeof given] ?? "nil"), step: () => given };
}

/** A variable of the data; functions are no values. */
export function value(env: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = Object.hasOwn(env, name) ? env[name] : null;
  return typeof found === "function" ? null : (found ?? null);
}

/** A constant next to `and` or `or` leaves the other side as it is, or settles the matter without looking at it. */
export function simplified(
  operator: string,
  sides: { left: Node; right: Node; a: Compiled; b: Compiled },
): Compiled | undefined {
  const isAnd = operator === "and" || operator === "&&";
  if (!isAnd && operator !== "or" && operator !== "||") return undefined;
  const { left, right, a, b } = sides;
  if (left.type === "literal") return left.value === isAnd ? b : a;
  if (right.type === "literal") return right.value === isAnd ? a : b;
  return undefined;
}

/** An operator whose sides are both looked at. */
export function operation(operator: string, left: Step, right: Step, at: number): Step {
  return (run) => {
    const [a, b] = [left(run), right(run)];
    run.at = at;
    return binary(run, operator, a, b);
  };
}

/**
 * Operators that look at their right side only when they have to; undefined for others. As in the original the right
 * side is given as it is, whatever it is.
 */
export function logical(operator: string, left: Step, right: Step, at: number): Step | undefined {
  if (operator === "??") return (run) => left(run) ?? right(run);
  const isAnd = operator === "and" || operator === "&&";
  if (!isAnd && operator !== "or" && operator !== "||") return undefined;
  return (run) => {
    const a = left(run);
    run.at = at;
    return toBoolean(run, a) === isAnd ? right(run) : a;
  };
}

/** Whether a text holds what a regular expression describes; nil on either side holds nothing. */
export function matchStep(text: Step, pattern: Step, { at, known }: { at: number; known: Re2 | undefined }): Step {
  return (run) => {
    const [given, wanted] = [text(run), known ?? pattern(run)];
    run.at = at;
    if (given === null || given === undefined || wanted === null || wanted === undefined) return false;
    const compiled = known ?? run.pattern(toText(run, wanted));
    const subject = given instanceof Uint8Array ? Buffer.from(given).toString() : toText(run, given);
    run.spend(subject.length >> 3);
    return compiled.test(subject, run.meter);
  };
}

/** The call of a function that is handed in with the data. */
export function hostStep(name: string, steps: readonly Step[], at: number, signature?: ExprSignature): Step {
  return (run) => {
    const given = steps.map((each) => each(run));
    run.at = at;
    const work: unknown = Object.hasOwn(run.env, name) ? run.env[name] : undefined;
    if (typeof work !== "function") throw run.error("invalid operation: cannot call nil");
    for (const [i, argument] of given.entries()) checkArgument(run, signature?.parameters[i], argument);
    run.spend(10);
    try {
      return (work(...given) as unknown) ?? null;
    } catch (error) {
      throw run.wrap(error);
    }
  };
}

function checkArgument(run: Run, kind: Kind | undefined, argument: unknown): void {
  if (kind === "string") toText(run, argument);
  else if (kind === "bool") toBoolean(run, argument);
  else if (kind === "int" && typeof argument !== "bigint") {
    throw run.error(`cannot use ${typeName(argument)} as argument (type int)`);
  }
}

/** A map of entries. As in the original the first of several with the same key is the one that stays. */
export function mapStep(entries: readonly (readonly [Step, Step])[], at: number): Step {
  return (run) => {
    run.allot(entries.length);
    const map: Record<string, unknown> = Object.create(null);
    for (const [key, item] of entries) {
      const name = key(run);
      run.at = at;
      const text = toText(run, name);
      const made = item(run);
      if (!Object.hasOwn(map, text)) map[text] = made;
    }
    return map;
  };
}

/** The error of calling what is no method. */
export function noMethod(run: Run, from: unknown, name: string): never {
  fetch(run, from, name);
  throw run.error("invalid operation: cannot call nil");
}
