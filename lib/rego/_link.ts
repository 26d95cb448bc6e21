import { linkMatch, linkTerm, type Matcher } from "./_match.ts";
import { type DataPath, linkPath, type Walk } from "./_walk.ts";
import { type Context, Frame, type Mock, putAt, restoreState, saveState, shadowAt } from "./context.ts";
import { NOWHERE, RegoError } from "./errors.ts";
import type { Branch, Callee, Literal, Modifier, Simple } from "./ir.ts";
import { isBound } from "./safety.ts";
import { equalValues, isArray, RegoObject, RegoSet, type RegoValue } from "./values.ts";

/** A linked literal and all that follows; true ends the search. */
export type Goal = (f: Frame) => boolean;

/** Calls a function; undefined when it has no result. */
export type Call = (c: Context, args: readonly RegoValue[]) => RegoValue | undefined;

/** Finds the code behind a callee. */
export interface Functions {
  /** The code; relations hand their results to a callback instead. */
  code(callee: Callee, at: Literal["at"]): Call;
  relation(
    name: string,
    at: Literal["at"],
  ): (c: Context, args: readonly RegoValue[], each: (v: RegoValue) => boolean) => boolean;
}

/** Links bodies: every literal becomes a closure that knows the next one. */
export class Linker {
  readonly #data: DataPath;
  readonly #functions: Functions;

  constructor(data: DataPath, functions: Functions) {
    this.#data = data;
    this.#functions = functions;
  }

  /** Links a branch; `found` is called for each solution of its body. */
  branch(branch: Branch, bound: Set<number>, found: Goal, reached?: (f: Frame, index: number) => void): Goal {
    return this.body(branch.literals, bound, () => found, reached);
  }

  /** Links literals in front of what `last` makes. */
  body(
    literals: readonly Literal[],
    bound: Set<number>,
    last: (bound: Set<number>) => Goal,
    reached?: (f: Frame, index: number) => void,
  ): Goal {
    const link = (i: number): Goal => {
      const literal = literals[i];
      if (literal === undefined) return last(bound);
      const goal = this.#literal(literal, bound, () => link(i + 1));
      if (reached === undefined) return goal;
      return (f) => {
        reached(f, i);
        return goal(f);
      };
    };
    return link(0);
  }

  #literal(literal: Literal, bound: Set<number>, next: () => Goal): Goal {
    switch (literal.op) {
      case "test":
        return linkTest(literal.term, next());
      case "unify":
        return linkUnify(literal.a, literal.b, bound, next);
      case "ref":
        return this.#ref(literal, bound, next);
      case "call":
        return this.#call(literal, bound, next);
      case "compr":
        return this.#comprehension(literal, bound, next);
      case "not": {
        const inner = this.body(literal.body, new Set(bound), () => yes);
        const goal = next();
        return (f) => !inner(f) && goal(f);
      }
      case "every":
        return this.#every(literal, bound, next());
      case "with":
        return this.#with(literal, bound, next);
    }
  }

  #ref({ root, path, out }: Literal & { op: "ref" }, bound: Set<number>, next: () => Goal): Goal {
    const last = (after: Set<number>): Walk => {
      if (out === undefined) {
        const goal = next();
        return (f, value) => value !== false && goal(f);
      }
      return thenMatch(linkMatch(out, after), next());
    };
    if (root.k === "data") return this.#data.link(path, bound, last);
    if (root.k === "input") {
      const walk = linkPath(path, bound, last);
      return (f) => f.c.input !== undefined && walk(f, f.c.input);
    }
    const get = linkTerm(root.term);
    const walk = linkPath(path, bound, last);
    return (f) => walk(f, get(f));
  }

  #call({ callee, args, out, at }: Literal & { op: "call" }, bound: Set<number>, next: () => Goal): Goal {
    const getters = args.map(linkTerm);
    const match: Matcher = out === undefined ? (_, value) => value !== false : linkMatch(out, bound);
    const goal = next();
    if (callee.k === "builtin" && callee.relation) {
      const relation = this.#functions.relation(callee.name, at);
      return (f) =>
        relation(
          f.c,
          getters.map((get) => get(f)),
          (value) => match(f, value) && goal(f),
        );
    }
    const call = this.#functions.code(callee, at);
    const [first, second] = getters;
    if (first !== undefined && second !== undefined && getters.length === 2) {
      return (f) => {
        const value = call(f.c, [first(f), second(f)]);
        return value !== undefined && match(f, value) && goal(f);
      };
    }
    return (f) => {
      const value = call(
        f.c,
        getters.map((get) => get(f)),
      );
      return value !== undefined && match(f, value) && goal(f);
    };
  }

  #comprehension(literal: Literal & { op: "compr" }, bound: Set<number>, next: () => Goal): Goal {
    const { kind, key, value, out, at } = literal;
    const get = linkTerm(value);
    const body = this.body(literal.body, new Set(bound), () => collector(kind, out, key, get, at));
    bound.add(out);
    const goal = next();
    return (f) => {
      f.s[out] = kind === "array" ? [] : kind === "set" ? new RegoSet() : new RegoObject();
      body(f);
      return goal(f);
    };
  }

  #every({ key, value, domain, body }: Literal & { op: "every" }, bound: Set<number>, goal: Goal): Goal {
    const inside = new Set(bound).add(key).add(value);
    const holds = this.body(body, inside, () => yes);
    const fails: Walk = (f, item) => {
      f.s[value] = item;
      return !holds(f);
    };
    const walk = linkPath([{ k: "var", id: key }], new Set(bound), () => fails);
    const get = linkTerm(domain);
    return (f) => {
      const items = get(f);
      if (typeof items !== "object" || items === null) return false;
      return !walk(f, items) && goal(f);
    };
  }

  #with({ modifiers, body }: Literal & { op: "with" }, bound: Set<number>, next: () => Goal): Goal {
    const changes = modifiers.map((each) => this.#change(each));
    const inner = this.body(body, bound, () => {
      const goal = next();
      return (f) => {
        const { c } = f;
        const outside = c.saved.pop();
        if (outside === undefined) return false;
        const here = saveState(c);
        restoreState(c, outside);
        const done = goal(f);
        restoreState(c, here);
        c.saved.push(outside);
        return done;
      };
    });
    return (f) => {
      const { c } = f;
      const outside = saveState(c);
      for (const change of changes) change(f);
      c.cache = [];
      c.calls = new Map();
      c.saved.push(outside);
      const done = inner(f);
      c.saved.pop();
      restoreState(c, outside);
      return done;
    };
  }

  #change(modifier: Modifier): (f: Frame) => void {
    if (modifier.k === "mock") return this.#mock(modifier);
    const { k, path } = modifier;
    const get = linkTerm(modifier.value);
    if (k === "input") {
      return (f) => {
        f.c.input = putAt(f.c.input, path, get(f));
      };
    }
    return ({ c, s }) => {
      const value = get(new Frame(c, s));
      c.data = putAt(c.data, path, value);
      c.shadow = shadowAt(c.shadow, path);
    };
  }

  #mock({ target, value, callee }: Modifier & { k: "mock" }): (f: Frame) => void {
    const name = mockName(target);
    const put = (c: Context, mock: Mock) => {
      c.mocks = new Map(c.mocks).set(name, mock);
    };
    if (callee !== undefined) {
      const call = this.#functions.code(callee, NOWHERE);
      const replacement: Mock = {
        call: (c, args) => {
          const { mocks } = c;
          c.mocks = undefined;
          const result = call(c, args);
          c.mocks = mocks;
          return result;
        },
      };
      return (f) => put(f.c, replacement);
    }
    const get = value === undefined ? () => null : linkTerm(value);
    return (f) => put(f.c, { value: get(f) });
  }
}

/** The name under which a replacement for a function is kept. */
export function mockName(callee: Callee): string {
  return callee.k === "rule" ? `rule ${callee.group.id}` : callee.name;
}

const yes: Goal = () => true;

function thenMatch(match: Matcher, goal: Goal): Walk {
  return (f, value) => match(f, value) && goal(f);
}

function linkTest(term: Simple, goal: Goal): Goal {
  const get = linkTerm(term);
  return (f) => get(f) !== false && goal(f);
}

function linkUnify(a: Simple, b: Simple, bound: Set<number>, next: () => Goal): Goal {
  const [known, pattern] = isBound(a, bound) ? [a, b] : [b, a];
  const get = linkTerm(known);
  if (isBound(pattern, bound)) {
    const other = linkTerm(pattern);
    const goal = next();
    return (f) => equalValues(get(f), other(f)) && goal(f);
  }
  const match = linkMatch(pattern, bound);
  const goal = next();
  return (f) => match(f, get(f)) && goal(f);
}

function collector(
  kind: "array" | "set" | "object",
  out: number,
  key: Simple | undefined,
  get: (f: Frame) => RegoValue,
  at: Literal["at"],
): Goal {
  if (kind === "array") {
    return (f) => {
      f.c.meter.make(16);
      const list = f.s[out];
      if (isArray(list)) (list as RegoValue[]).push(get(f));
      return false;
    };
  }
  if (kind === "set") {
    return (f) => {
      f.c.meter.make(48);
      const set = f.s[out];
      if (set instanceof RegoSet) set.add(get(f));
      return false;
    };
  }
  const getKey = key === undefined ? () => null : linkTerm(key);
  return (f) => {
    f.c.meter.make(64);
    const object = f.s[out];
    if (!(object instanceof RegoObject)) return false;
    const name = getKey(f);
    const value = get(f);
    const before = object.get(name);
    if (before !== undefined && !equalValues(before, value)) {
      throw RegoError.at("eval_conflict_error", "object keys must be unique", at);
    }
    object.set(name, value);
    return false;
  };
}
