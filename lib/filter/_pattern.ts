import { compileRe2 } from "../re2/mod.ts";

/** Whether a filter's text is a regular expression: between slashes. */
export function isPattern(text: string): boolean {
  return text.startsWith("/") && text.endsWith("/");
}

/**
 * A test for texts that a regular expression finds something in, slashes around it being passed over.
 * @throws {Error} when it is no regular expression of RE2.
 */
export function patternTest(pattern: string, options: { ignoreCase: boolean }): (text: string) => boolean {
  const source = pattern.replace(/^\/+/, "").replace(/\/+$/, "");
  const compiled = compileRe2(source, { caseInsensitive: options.ignoreCase });
  return (text) => compiled.test(text);
}

/** {@link patternTest}, where a bad expression finds nothing. */
export function lenientTest(pattern: string, options: { ignoreCase: boolean }): (text: string) => boolean {
  try {
    return patternTest(pattern, options);
  } catch {
    return () => false;
  }
}
