const SIMPLE: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * The escape sequence that starts with the backslash at `at`, as JSON and policy texts write it.
 *
 * @returns what it stands for and how many characters it takes; undefined when it is none.
 */
export function readEscape(source: string, at: number): { text: string; length: number } | undefined {
  const char = source[at + 1] ?? "";
  const simple = SIMPLE[char];
  if (simple !== undefined) return { text: simple, length: 2 };
  const hex = source.slice(at + 2, at + 6);
  if (char !== "u" || !/^[0-9a-fA-F]{4}$/.test(hex)) return undefined;
  return { text: String.fromCharCode(Number.parseInt(hex, 16)), length: 6 };
}
