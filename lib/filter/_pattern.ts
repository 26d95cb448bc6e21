/** Whether a filter's text is a regular expression: between slashes. */
export function isPattern(text: string): boolean {
  return text.startsWith("/") && text.endsWith("/");
}

/**
 * Search a text for a regular expression, slashes around it being passed over.
 * @throws {SyntaxError} when it is none.
 */
export function searchPattern(pattern: string, text: string, options: { ignoreCase: boolean }): boolean {
  const source = pattern.replace(/^\/+/, "").replace(/\/+$/, "");
  const flags = /^\(\?i\)/.test(source) || options.ignoreCase ? "i" : "";
  return new RegExp(source.replace(/^\(\?i\)/, ""), flags).test(text);
}

/** {@link searchPattern}, where a bad expression finds nothing. */
export function findsPattern(pattern: string, text: string, options: { ignoreCase: boolean }): boolean {
  try {
    return searchPattern(pattern, text, options);
  } catch {
    return false;
  }
}
