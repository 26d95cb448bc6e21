/**
 * The Rego policy language: parse and compile policy texts of both dialects, evaluate them within limits.
 *
 * Stands alone: nothing in a policy reaches the host unless the caller hands in a function.
 *
 * @module
 */
export type { RegoDialect } from "./ast.ts";
export { RegoCache } from "./cache.ts";
export { type RegoCase, type RegoCaseResult, runRegoCases } from "./cases.ts";
export { RegoError, type RegoErrorCode, type RegoProblem } from "./errors.ts";
export type { RegoExplanation, RuleExplanation } from "./explanation.ts";
export type { RegoFunction } from "./functions.ts";
export { builtinNames } from "./library.ts";
export { DEFAULT_LIMITS, type RegoLimits } from "./limits.ts";
export {
  type CompileOptions,
  compileModules,
  compileRego,
  type EvaluateOptions,
  type RegoPolicy,
  type RegoResult,
} from "./policy.ts";
export type { RegoSource } from "./program.ts";
export { parseTerm } from "./reader.ts";
export { RegoObject, type RegoScalar, RegoSet, type RegoValue } from "./values.ts";
