/**
 * Small languages in which people ask about data: GJSON paths.
 *
 * @module
 */
export { lookup } from "./gjson.ts";
