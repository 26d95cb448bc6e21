import {
  type Expr,
  ExprCache,
  type ExprEnv,
  ExprError,
  type ExprSignature,
  type LookupBudget,
  lookup,
  newLookupBudget,
} from "../expr/mod.ts";
import { type FactFilter, type Filter, parseFactFilter } from "../protocol/mod.ts";
import { errorText, type JsonObject } from "../std/mod.ts";
import { FilterError, matchFact } from "./fact.ts";
import { matchVersion } from "./semver.ts";

/** Answers a query about the node; what it throws leaves the filter without an answer. */
export type DataQuery = (query: string) => unknown;

/** What compound filters ask about. */
export interface CompoundNode {
  agents: readonly string[];
  classes: readonly string[];
  facts: JsonObject;
  /** Data plugins by name; each is a function of the filter. */
  data: ReadonlyMap<string, DataQuery>;
  /** Whether a class is among those of the node. */
  hasClass: (name: string) => boolean;
  /** Whether an agent is among those of the node. */
  hasAgent: (name: string) => boolean;
  /** Milliseconds since the epoch. Default the machine's clock. */
  now?: () => number;
  /** What was compiled before. Default nothing. */
  compiled?: CompiledFilters;
}

/**
 * Compound expressions that were compiled, for those who are asked the same again and again. What an expression may ask
 * depends on the data plugins of a node: one holder serves nodes that have the same.
 */
export class CompiledFilters {
  #plugins: string | undefined;
  #cache = new ExprCache();

  /** How many expressions are kept. */
  get size(): number {
    return this.#cache.size;
  }

  /**
   * An expression, compiled when it is not known.
   * @throws {ExprError} when it cannot be compiled.
   */
  get(query: string, data: CompoundNode["data"]): Expr {
    const plugins = [...data.keys()].join();
    if (plugins !== this.#plugins) {
      this.#plugins = plugins;
      const functions = { ...dataSignatures(data), ...signatures };
      this.#cache = new ExprCache({ functions, variables, allowUndefined: true, boolean: true });
    }
    return this.#cache.get(query);
  }
}

/** Functions of {@link itemFunctions}, as expressions see them. */
export const itemSignatures: Readonly<Record<string, ExprSignature>> = {
  include: { parameters: ["array", "any"], returns: "bool" },
  semver: { parameters: ["string", "string"], returns: "bool" },
};

const signatures: Readonly<Record<string, ExprSignature>> = {
  ...itemSignatures,
  with: { parameters: ["string"], returns: "bool" },
  fact: { parameters: ["string"] },
};

/** What all expressions of a filter may use together: they come from the network, and hold everything up. */
const limits = { steps: 500_000, memory: 500_000, timeMs: 200 };
/** Most expressions of a filter, and longest of them. */
const maxExpressions = 64;
const maxLength = 16_384;

/** Functions that filters of nodes and of replies have in common. */
export const itemFunctions = {
  /** Whether a list holds an item; 3 is 3.0. */
  include(list: unknown, item: unknown): boolean {
    if (list === null) return false;
    if (!Array.isArray(list)) throw new FilterError("include looks only into lists");
    const wanted = typeof item === "bigint" ? Number(item) : item;
    return list.some((each) => each === wanted || Bun.deepEquals(each, wanted));
  },
  /** Whether a version meets a constraint; see {@link matchVersion}. */
  semver: matchVersion,
};

/**
 * Whether a node meets the compound expressions of a filter. Each that holds counts one, each that does not takes one
 * away; what is left has to be positive.
 *
 * @throws {FilterError} when one of the expressions cannot be read or has no answer.
 */
export function matchCompound(wanted: Filter["compound"], node: CompoundNode): boolean {
  if (wanted.length > maxExpressions) throw new FilterError(`the filter has more than ${maxExpressions} expressions`);
  const env = environment(node);
  const { data, compiled = new CompiledFilters(), now = Date.now } = node;
  let count = 0;
  for (const list of wanted) {
    const [only] = list;
    if (only === undefined || list.length !== 1) return false;
    const share = { ...limits, timeMs: limits.timeMs / wanted.length };
    count += evaluate(only.expr, { compile: (query) => compiled.get(query, data), env, limits: share, now }) ? 1 : -1;
  }
  return count > 0;
}

interface Work {
  compile: (query: string) => Expr;
  env: ExprEnv;
  limits: typeof limits;
  now: () => number;
}

function evaluate(query: string, { compile, env, limits, now }: Work): boolean {
  const compiled = attempt(`Could not compile compound query '${short(query)}'`, () => {
    if (query.length > maxLength) throw new ExprError(`expression is longer than ${maxLength} characters`);
    return compile(query);
  });
  return attempt(`Could not match compound query '${short(query)}': could not execute compound query`, () =>
    compiled.test(env, { limits, now }),
  );
}

const variables = { agents: "array", classes: "array", facts: "bytes" } as const;

function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new FilterError(`${what}: ${errorText(error)}`, { cause: error });
  }
}

function short(query: string): string {
  return query.length > 200 ? `${query.slice(0, 200)}...` : query;
}

function dataSignatures(data: CompoundNode["data"]): Record<string, ExprSignature> {
  return Object.fromEntries(
    [...data.keys()].map((name) => [name, { parameters: ["string"], required: 0, returns: "map" }]),
  );
}

function environment(node: CompoundNode): ExprEnv {
  const { agents, classes, facts, data } = node;
  const budget = newLookupBudget();
  const queries = [...data].map(([name, query]) => [name, (text = "") => answer(query, text)]);
  return {
    ...Object.fromEntries(queries),
    ...itemFunctions,
    agents,
    classes,
    get facts() {
      return new Uint8Array(Buffer.from(JSON.stringify(facts)));
    },
    with: (text: string) => matchAny(text, node, budget),
    fact: (path: string) => asFloat(lookup(facts, path, budget)),
  };
}

/** A fact that cannot be compared is one that does not match. */
function matchAny(text: string, node: CompoundNode, budget: LookupBudget): boolean {
  const condition = readCondition(text);
  if (condition === undefined) return node.hasClass(text) || node.hasAgent(text);
  try {
    return matchFact(node.facts, condition, budget);
  } catch (error) {
    if (error instanceof FilterError) return false;
    throw error;
  }
}

function readCondition(text: string): FactFilter | undefined {
  try {
    return parseFactFilter(text);
  } catch {
    return undefined;
  }
}

/** Numbers of facts are floats. */
function asFloat(found: unknown): unknown {
  return typeof found === "bigint" ? Number(found) : found;
}

/** A plugin that fails has nothing to say: its answer is nil, as are the fields of it. */
function answer(query: DataQuery, text: string): unknown {
  try {
    return withIntegers(query(text));
  } catch {
    return null;
  }
}

/** Whole numbers of data plugins are integers. */
function withIntegers(value: unknown): unknown {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(withIntegers);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withIntegers(item)]));
}
