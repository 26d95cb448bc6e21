/**
 * Regular expressions in the syntax and with the guarantees of RE2: no backtracking, linear time.
 *
 * @module
 */
export type { WorkMeter } from "./machine.ts";
export { compileRe2, quoteRe2, Re2, type Re2Match, type Re2Options } from "./re2.ts";
export { Re2Error } from "./syntax.ts";
