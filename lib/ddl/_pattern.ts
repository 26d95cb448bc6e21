import { compileRe2 } from "../re2/mod.ts";

/**
 * Whether a text matches a regular expression anywhere. A pattern that cannot be compiled matches nothing.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  try {
    return compileRe2(pattern).test(text);
  } catch {
    return false;
  }
}
