/**
 * Small languages in which people ask about data: GJSON paths and the Expr language.
 *
 * @module
 */

export type { Kind as ExprKind } from "./_kinds.ts";
export type { ExprEnv, ExprLimits } from "./_run.ts";
export type { ExprSignature } from "./_steps.ts";
export { ExprCache } from "./cache.ts";
export { ExprError, ExprLimitError } from "./error.ts";
export { compileExpr, type EvaluateOptions, Expr, type ExprOptions } from "./expr.ts";
export { type LookupBudget, lookup, newLookupBudget } from "./gjson.ts";
export { ExprDuration, ExprEnum, type ExprMap, ExprMoment, ExprZone } from "./values.ts";
