import type { RegoExplanation, RegoLimits, RegoPolicy } from "../rego/mod.ts";
import { errorText, type JsonObject } from "../std/mod.ts";
import { type PolicyEngine, PolicyError, type PolicyFunction, type PolicyResult } from "./engine.ts";
import { policyPackage } from "./rego_policy.ts";

/**
 * What one evaluation may use. A policy of the field needs a few hundred steps; the time is there for what steps do not
 * tell, and long enough that a busy machine does not refuse what an idle one allows.
 */
const limits: RegoLimits = { steps: 200_000, depth: 100, timeMs: 250, resultBytes: 8 * 1024 * 1024 };

/** How many conditions are named when a policy says no. */
const maxConditions = 4;

/** Options of {@link loadRegoEngine}. */
export interface RegoEngineOptions {
  /**
   * How many compiled policies are kept.
   * @default 256
   */
  max?: number;
  limits?: RegoLimits;
}

/**
 * The engine of this project: Rego of both dialects, told apart by the text, compiled once per text, without any way
 * to the host. Loaded on demand, as a node whose callers carry action lists never needs it.
 */
export async function loadRegoEngine(options: RegoEngineOptions = {}): Promise<PolicyEngine> {
  const { RegoCache, RegoError } = await import("../rego/mod.ts");
  const cache = new RegoCache({ max: options.max ?? 256 });
  const bounds = { ...limits, ...options.limits };

  function compile(source: string, functions: readonly PolicyFunction[]): RegoPolicy {
    try {
      return cache.get(source, { functions, filename: policyPackage });
    } catch (error) {
      throw new PolicyError("compile", errorText(error), { cause: error });
    }
  }

  function evaluate(
    source: string,
    rule: string,
    input: JsonObject,
    functions: readonly PolicyFunction[],
  ): PolicyResult {
    const policy = compile(source, functions);
    const request = { input, functions, limits: bounds };
    try {
      const { defined, value } = policy.evaluate(rule, request);
      if (value !== false) return { defined, value };
      // Only a "no" is worth the second, recorded evaluation.
      const { explanation } = policy.evaluate(rule, { ...request, explain: true });
      return { defined, value, explanation: conditions(explanation, rule) };
    } catch (error) {
      const text = error instanceof RegoError ? error.message : `eval_internal_error: ${errorText(error)}`;
      throw new PolicyError("evaluate", text, { cause: error });
    }
  }

  return { evaluate };
}

function conditions(explanation: RegoExplanation | undefined, rule: string): string {
  const stopped = (explanation?.rules ?? []).flatMap((each) =>
    each.rule === rule && each.stoppedAt !== undefined ? [each.stoppedAt] : [],
  );
  if (stopped.length === 0) return "no rule of it applies";
  const shown = stopped
    .slice(0, maxConditions)
    .map(({ row, text }) => `line ${row}: ${text.replace(/\s+/g, " ").slice(0, 120)}`);
  const more = stopped.length > maxConditions ? `; and ${stopped.length - maxConditions} more` : "";
  return `not met: ${shown.join("; ")}${more}`;
}
