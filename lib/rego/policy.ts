import { withMeter } from "./_ambient.ts";
import type { RegoDialect } from "./ast.ts";
import type { Context, Tracer } from "./context.ts";
import { explain, RecordingTracer, type RegoExplanation } from "./explanation.ts";
import type { RegoFunction } from "./functions.ts";
import { Meter, type RegoLimits } from "./limits.ts";
import { compileAuto, guarded, Program, type RegoSource } from "./program.ts";
import { toPlain } from "./text.ts";
import { RegoObject, type RegoValue, toRego } from "./values.ts";

/** How a policy text is compiled. */
export interface CompileOptions {
  /** Dialect to insist on; "auto" takes what the text is written in. Default "auto". */
  dialect?: RegoDialect | "auto";
  /** Functions the policy may call besides the built-in ones; code can be handed in again for each evaluation. */
  functions?: readonly RegoFunction[];
  /** Name of the text in messages. Default "policy.rego". */
  filename?: string;
}

/** What one evaluation gets. */
export interface EvaluateOptions {
  /** The `input` document; without it `input` is undefined. */
  input?: unknown;
  /** The base documents under `data`, an object. */
  data?: unknown;
  limits?: RegoLimits;
  /** Code of functions named when the policy was compiled, in place of the code given then. */
  functions?: readonly RegoFunction[];
  /** Whether to say which rules held and how far the others got. Default false. */
  explain?: boolean;
  /** Milliseconds since 1970 for the time functions. Default Date.now. */
  now?: () => number;
  /** Whether errors of built-in functions fail the evaluation instead of leaving an expression undefined. Default false. */
  strictBuiltinErrors?: boolean;
}

/** What an evaluation found. */
export interface RegoResult {
  /** Whether the query has a value at all. */
  readonly defined: boolean;
  /** The value as plain JavaScript: sets as arrays, big integers as bigint. */
  readonly value?: unknown;
  readonly explanation?: RegoExplanation;
}

/** A compiled policy; it keeps nothing between evaluations and can be shared. */
export interface RegoPolicy {
  readonly dialect: RegoDialect;
  /** Package of the (first) module, dotted. */
  readonly packageName: string;
  /**
   * Evaluates a query such as `data.my.pkg.allow` and gives its first value.
   *
   * @throws RegoError when the query or the policy fails, or exceeds the limits.
   */
  evaluate(query: string, options?: EvaluateOptions): RegoResult;
  /** Evaluates a query with variables and gives the values of its variables for every solution. */
  query(query: string, options?: EvaluateOptions): Record<string, unknown>[];
}

/**
 * Compiles a policy text.
 *
 * @throws RegoError with every problem found and its place.
 */
export function compileRego(source: string, options: CompileOptions = {}): RegoPolicy {
  return compileModules([{ source, filename: options.filename ?? "policy.rego" }], options);
}

/**
 * Compiles several texts that see each other's packages; all in one dialect unless they import rego.v1.
 *
 * @throws RegoError with every problem found and its place.
 */
export function compileModules(sources: readonly RegoSource[], options: CompileOptions = {}): RegoPolicy {
  const functions = options.functions ?? [];
  const wanted = options.dialect ?? "auto";
  if (wanted === "auto") {
    const { program, dialect } = compileAuto(sources, functions);
    return new CompiledPolicy(program, dialect, functions);
  }
  const program = Program.compile(sources, wanted, functions);
  return new CompiledPolicy(program, program.modules[0]?.dialect ?? wanted, functions);
}

const EMPTY = new RegoObject();

class CompiledPolicy implements RegoPolicy {
  readonly dialect: RegoDialect;
  readonly packageName: string;
  readonly #program: Program;
  readonly #functions: ReadonlyMap<string, RegoFunction>;

  constructor(program: Program, dialect: RegoDialect, functions: readonly RegoFunction[]) {
    this.#program = program;
    this.dialect = dialect;
    this.packageName = program.modules[0]?.packagePath.join(".") ?? "";
    this.#functions = new Map(functions.map((each) => [each.name, each]));
  }

  evaluate(query: string, options: EvaluateOptions = {}): RegoResult {
    const tracer = options.explain === true ? new RecordingTracer() : undefined;
    const result = this.#metered(options, (meter): RegoResult => {
      const value = this.#program.value(query, this.#context(options, meter, tracer));
      return value === undefined ? { defined: false } : { defined: true, value: toPlain(value) };
    });
    return tracer === undefined ? result : { ...result, explanation: explain(this.#program, query, tracer) };
  }

  query(query: string, options: EvaluateOptions = {}): Record<string, unknown>[] {
    return this.#metered(options, (meter) => {
      const out: Record<string, unknown>[] = [];
      this.#program.run(query, this.#context(options, meter, undefined), (values) => {
        out.push(Object.fromEntries([...values].map(([name, value]) => [name, toPlain(value)])));
      });
      return out;
    });
  }

  #metered<T>(options: EvaluateOptions, run: (meter: Meter) => T): T {
    const meter = new Meter(options.limits);
    return guarded(() => withMeter(meter, () => run(meter)));
  }

  #context(options: EvaluateOptions, meter: Meter, tracer: Tracer | undefined): Context {
    const input: RegoValue | undefined = options.input === undefined ? undefined : toRego(options.input);
    return {
      input,
      data: options.data === undefined ? EMPTY : toRego(options.data),
      cache: [],
      calls: new Map(),
      shadow: undefined,
      mocks: undefined,
      saved: [],
      meter,
      strict: options.strictBuiltinErrors === true,
      now: options.now ?? Date.now,
      functions: this.#bind(options.functions),
      memo: new Map(),
      shared: this.#program.shared,
      tracer,
    };
  }

  #bind(functions: readonly RegoFunction[] | undefined): ReadonlyMap<string, RegoFunction> {
    if (functions === undefined) return this.#functions;
    return new Map([...this.#functions, ...functions.map((each) => [each.name, each] as const)]);
  }
}
