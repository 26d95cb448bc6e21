/** Positions and pieces of a GJSON path, found without looking at any data. */

const openers: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/**
 * Where the group that opens at `start` ends: the index after its closing bracket. Strings inside are passed over.
 * Gives -1 when it never closes.
 */
export function endOfGroup(path: string, start: number): number {
  const waiting: string[] = [];
  for (let at = start; at < path.length; at++) {
    const c = path[at] ?? "";
    if (c === "\\") at++;
    else if (c === '"') at = endOfString(path, at) - 1;
    else if (openers[c] !== undefined) waiting.push(openers[c]);
    else if (c === waiting.at(-1)) {
      waiting.pop();
      if (waiting.length === 0) return at + 1;
    }
  }
  return -1;
}

/** The index after the string that opens at `start`; the end of the path when it never closes. */
export function endOfString(path: string, start: number): number {
  for (let at = start + 1; at < path.length; at++) {
    if (path[at] === "\\") at++;
    else if (path[at] === '"') return at + 1;
  }
  return path.length;
}

/** Index of the first of `stops` at or after `start` that stands outside of escapes, strings and groups; else the end. */
export function findOutside(path: string, stops: string, start = 0): number {
  for (let at = start; at < path.length; at++) {
    const c = path[at] ?? "";
    if (stops.includes(c)) return at;
    if (c === "\\") at++;
    else if (c === '"') at = endOfString(path, at) - 1;
    else if (openers[c] !== undefined) {
      const end = endOfGroup(path, at);
      if (end < 0) return path.length;
      at = end - 1;
    }
  }
  return path.length;
}

/** One character of a key pattern. */
export type KeyToken = { char: string } | "any" | "one";

/** A path component as a pattern: escapes are resolved, `*` and `?` are wildcards. */
export function keyTokens(component: string): KeyToken[] {
  const tokens: KeyToken[] = [];
  for (let at = 0; at < component.length; at++) {
    const c = component[at] ?? "";
    if (c === "\\") tokens.push({ char: component[++at] ?? "" });
    else tokens.push(c === "*" ? "any" : c === "?" ? "one" : { char: c });
  }
  return tokens;
}

/** The text of a pattern without wildcards; undefined when it has some. */
export function plainKey(tokens: readonly KeyToken[]): string | undefined {
  let text = "";
  for (const token of tokens) {
    if (typeof token === "string") return undefined;
    text += token.char;
  }
  return text;
}

/** Whether a text fits a pattern, in time that grows with the product of both lengths at most. */
export function matchesTokens(text: string, tokens: readonly KeyToken[]): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const current = tokens[token];
    if (current === "one" || (typeof current === "object" && current.char === text[at])) {
      at++;
      token++;
    } else if (current === "any") {
      star = token++;
      resume = at;
    } else if (star >= 0) {
      token = star + 1;
      at = ++resume;
    } else return false;
  }
  while (tokens[token] === "any") token++;
  return token === tokens.length;
}
