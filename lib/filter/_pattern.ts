import { type LookupBudget, newLookupBudget } from "../expr/mod.ts";
import { compileRe2 } from "../re2/mod.ts";

/** Largest expression, in instructions of its program. */
const maxSize = 2_000;

/** How a pattern is tested. */
export interface PatternOptions {
  ignoreCase: boolean;
  /** What patterns that come together may use up: they come from the network, and hold everything up. */
  budget?: LookupBudget;
}

/** Whether a filter's text is a regular expression: between slashes. */
export function isPattern(text: string): boolean {
  return text.startsWith("/") && text.endsWith("/");
}

/**
 * A test for texts that a regular expression finds something in, slashes around it being passed over.
 * @throws {Error} when it is no regular expression of RE2, or one that is too large; the test throws once the budget
 * is used up.
 */
export function patternTest(pattern: string, options: PatternOptions): (text: string) => boolean {
  const { ignoreCase, budget = newLookupBudget() } = options;
  const source = pattern.replace(/^\/+/, "").replace(/\/+$/, "");
  const compiled = compileRe2(source, { caseInsensitive: ignoreCase, maxSize });
  const meter = (work: number) => {
    budget.steps -= work;
    if (budget.steps < 0) throw new RangeError("The regular expressions take too many steps");
  };
  return (text) => compiled.test(text, meter);
}

/** {@link patternTest}, where a bad expression finds nothing. */
export function lenientTest(pattern: string, options: PatternOptions): (text: string) => boolean {
  try {
    return patternTest(pattern, options);
  } catch {
    return () => false;
  }
}
