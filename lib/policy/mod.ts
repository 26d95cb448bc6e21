/**
 * What a caller's claims allow: action lists and policies in Rego, judged by one function that servers and the AAA
 * service share.
 *
 * @module
 */
export { evaluateActionList } from "./action_list.ts";
export { type PolicyCall, policyCall } from "./call.ts";
export { type ClaimsOptions, ClaimsPolicy, evaluateClaims } from "./claims_policy.ts";
export type { Decision } from "./decision.ts";
export { type PolicyEngine, PolicyError, type PolicyFunction, type PolicyResult } from "./engine.ts";
export { filterFunctions } from "./functions.ts";
export { policyInput } from "./input.ts";
export { loadRegoEngine, type RegoEngineOptions } from "./rego_engine.ts";
export { evaluateRego, policyPackage, type RegoOptions } from "./rego_policy.ts";
