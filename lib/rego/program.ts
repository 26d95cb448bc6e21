import type { Outside } from "./_names.ts";
import type { Expr, Module, RegoDialect, Term } from "./ast.ts";
import type { Context, SharedParts } from "./context.ts";
import { NOWHERE, RegoError } from "./errors.ts";
import type { RegoFunction } from "./functions.ts";
import { Interpreter } from "./interpreter.ts";
import type { RuleGroup } from "./ir.ts";
import { findBuiltin, LIBRARY } from "./library.ts";
import { parseModule, parseQuery } from "./parser.ts";
import { checkRecursion } from "./recursion.ts";
import { type ResolvedQuery, Resolver } from "./resolver.ts";
import { buildTree, type TreeNode } from "./tree.ts";
import type { RegoValue } from "./values.ts";

const MAX_QUERIES = 64;
const MAX_SOURCE = 1 << 20;
const RESULT = "$result";

/** A policy text with the name it has in messages. */
export interface RegoSource {
  readonly source: string;
  readonly filename: string;
}

/** Modules compiled together. */
export class Program {
  readonly modules: readonly Module[];
  readonly root: TreeNode;
  readonly groups: readonly RuleGroup[];
  /** Compiled patterns and the like, filled by evaluations. */
  readonly shared: SharedParts = { patterns: new Map(), zones: new Map() };
  readonly #resolver: Resolver;
  readonly #queries = new Map<string, ResolvedQuery>();
  readonly #values = new Map<string, ResolvedQuery>();
  #plain: Interpreter | undefined;
  #traced: Interpreter | undefined;

  private constructor(modules: readonly Module[], functions: readonly RegoFunction[]) {
    this.modules = modules;
    const { root, groups } = buildTree(modules);
    this.root = root;
    this.groups = groups;
    this.#resolver = new Resolver(modules, root, outside(functions));
    this.#resolver.resolve(groups);
    checkRecursion(root, groups);
  }

  /** Parses and compiles texts in one dialect. */
  static compile(sources: readonly RegoSource[], dialect: RegoDialect, functions: readonly RegoFunction[]): Program {
    const size = sources.reduce((sum, { source }) => sum + source.length, 0);
    if (size > MAX_SOURCE)
      throw RegoError.at("rego_parse_error", `the text is longer than ${MAX_SOURCE} characters`, NOWHERE);
    return guarded(
      () =>
        new Program(
          sources.map(({ source, filename }) => parseModule(source, filename, dialect)),
          functions,
        ),
    );
  }

  /** The code that runs rules; the traced one reports to the tracer of the context. */
  interpreter(traced: boolean): Interpreter {
    if (traced) {
      this.#traced ??= new Interpreter(this.root, LIBRARY, true);
      return this.#traced;
    }
    this.#plain ??= new Interpreter(this.root, LIBRARY, false);
    return this.#plain;
  }

  /** Parses and resolves a query; the result is kept. */
  query(text: string): ResolvedQuery {
    const known = this.#queries.get(text);
    if (known !== undefined) return known;
    const resolved = guarded(() => this.#resolver.query(parseQuery(text)));
    if (this.#queries.size >= MAX_QUERIES) this.#queries.clear();
    this.#queries.set(text, resolved);
    return resolved;
  }

  /** The first value of a query: that of its expression, or true where it is several. */
  value(text: string, c: Context): RegoValue | undefined {
    let resolved = this.#values.get(text);
    if (resolved === undefined) {
      resolved = guarded(() => this.#resolver.query(asAssignment(parseQuery(text))));
      if (this.#values.size >= MAX_QUERIES) this.#values.clear();
      this.#values.set(text, resolved);
    }
    let out: RegoValue | undefined;
    this.interpreter(c.tracer !== undefined).query(resolved, c, (values) => {
      const value = values.get(RESULT);
      out = value === undefined ? true : value;
      return true;
    });
    return out;
  }

  /** Runs a query; `found` hears of the variables of every solution. */
  run(text: string, c: Context, found: (values: ReadonlyMap<string, RegoValue>) => void): void {
    const query = this.query(text);
    this.interpreter(c.tracer !== undefined).query(query, c, (values) => {
      found(values);
      return false;
    });
  }
}

function asAssignment(exprs: readonly Expr[]): readonly Expr[] {
  const [first, second] = exprs;
  if (first?.kind.k !== "term" || first.negated || second !== undefined) return exprs;
  const left: Term = { t: "var", name: RESULT, at: first.at };
  return [{ ...first, kind: { k: "assign", left, right: first.kind.term } }];
}

function outside(functions: readonly RegoFunction[]): Outside {
  const custom = new Map(functions.map(({ name, arity }) => [name, arity] as const));
  return {
    custom: (name) => custom.get(name),
    builtin(name) {
      const found = findBuiltin(name);
      if (found === undefined) return undefined;
      return { arity: found.arity, relation: found.relation !== undefined, deprecated: found.deprecated === true };
    },
  };
}

/** Runs code and turns an exhausted stack into an error of the policy. */
export function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError) || !/stack/i.test(error.message)) throw error;
    throw RegoError.at("eval_limit_error", "the policy was stopped: it is nested too deep", NOWHERE, { cause: error });
  }
}

const HINTS = /import\s+rego\.v1|\bif\b|\bcontains\b\s+[^(\s]/;

/** Compiles texts in the dialect they are written in: v1 where they are valid in it, otherwise v0. */
export function compileAuto(
  sources: readonly RegoSource[],
  functions: readonly RegoFunction[],
): { program: Program; dialect: RegoDialect } {
  try {
    return { program: Program.compile(sources, "v1", functions), dialect: "v1" };
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    return tryOld(sources, functions, error);
  }
}

function tryOld(
  sources: readonly RegoSource[],
  functions: readonly RegoFunction[],
  first: RegoError,
): { program: Program; dialect: RegoDialect } {
  try {
    return { program: Program.compile(sources, "v0", functions), dialect: "v0" };
  } catch (error) {
    const looksNew = sources.some(({ source }) => HINTS.test(source.replace(/#.*|"(?:[^"\\\n]|\\.)*"|`[^`]*`/g, "")));
    throw looksNew ? first : error;
  }
}
