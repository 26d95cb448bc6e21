/**
 * Small languages in which people ask about data: GJSON paths.
 *
 * @module
 */
export { type LookupBudget, lookup, newLookupBudget } from "./gjson.ts";
