import { errorText } from "../std/mod.ts";
import type { ClientClaims } from "../tokens/mod.ts";
import type { PolicyCall } from "./call.ts";
import { allow, type Decision, deny } from "./decision.ts";
import { type PolicyEngine, PolicyError, type PolicyResult } from "./engine.ts";
import { filterFunctions } from "./functions.ts";
import { policyInput } from "./input.ts";

/** Package of the policies in tokens, which is also the name their errors carry. */
export const policyPackage = "io.choria.aaasvc";

const rule = `data.${policyPackage}.allow`;

/** What a policy is judged with. */
export interface RegoOptions {
  /** `input.site`. */
  site: string;
  engine: PolicyEngine;
  /**
   * Put before the reason of a refusal for which the policy, rather than its answer, is to blame.
   * @default ""
   */
  failurePrefix?: string;
}

/**
 * Judge a call by a policy in Rego. Whatever goes wrong is a refusal, in the words by which operators of the original
 * know it.
 */
export function evaluateRego(source: string, call: PolicyCall, claims: ClientClaims, options: RegoOptions): Decision {
  const { site, engine, failurePrefix = "" } = options;
  try {
    const input = policyInput(call, claims, site);
    const result = engine.evaluate(source, rule, input, filterFunctions(call.filter));
    const failure = failureOf(result);
    return failure === undefined ? judge(result, call) : deny(failurePrefix + failure);
  } catch (error) {
    const isCompile = error instanceof PolicyError && error.stage === "compile";
    const what = isCompile ? "could not initialize opa evaluator" : `could not evaluate rego policy ${policyPackage}`;
    return deny(`${failurePrefix}${what}: ${errorText(error)}`);
  }
}

function failureOf({ defined, value }: PolicyResult): string | undefined {
  if (!defined) return `invalid result from rego policy ${policyPackage}: expected 1 received 0`;
  if (typeof value === "boolean") return undefined;
  return `did not receive a boolean for 'allow' from rego evaluation of ${policyPackage}`;
}

function judge({ value, explanation }: PolicyResult, call: PolicyCall): Decision {
  const how = explanation ? ` (${explanation})` : "";
  if (value === true) return allow(`allowed by the policy in the opa_policy claim${how}`);
  return deny(`the policy in the opa_policy claim does not allow ${call.agent}.${call.action}${how}`);
}
