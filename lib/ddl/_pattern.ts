/**
 * Whether a text matches a regular expression anywhere. A pattern that cannot be compiled matches nothing.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  // Patterns such as `^{.+}$` are only valid without the flag, others such as `\p{L}` only with it.
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(pattern, flags).test(text);
    } catch {
      // The next spelling may do.
    }
  }
  return false;
}
