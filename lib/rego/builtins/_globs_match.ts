import { bad } from "./_kit.ts";

/** One step of a glob-style expression: characters and how often. */
interface Token {
  readonly accepts: (code: number) => boolean;
  readonly optional: boolean;
  readonly many: boolean;
}

const LAST = 128;

/**
 * Whether there is a non-empty text that both expressions match.
 *
 * The expressions know characters, `.`, `[a-z]`, escapes and the flags `*` and `+`.
 */
export function globsMeet(a: string, b: string): boolean {
  const [x, y] = [tokens(a), tokens(b)];
  const seen = new Set<string>();
  const stack: (readonly [number, number, boolean])[] = [[0, 0, false]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [i, j, some] = top;
    const key = `${i} ${j} ${some}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const [p, q] = [x[i], y[j]];
    if (p === undefined && q === undefined && some) return true;
    if (p?.optional === true) stack.push([i + 1, j, some]);
    if (q?.optional === true) stack.push([i, j + 1, some]);
    if (p === undefined || q === undefined || !shareChar(p, q)) continue;
    for (const [k, l] of moves(p, q, i, j)) stack.push([k, l, true]);
  }
  return false;
}

function moves(p: Token, q: Token, i: number, j: number): (readonly [number, number])[] {
  const left = p.many ? [i, i + 1] : [i + 1];
  const right = q.many ? [j, j + 1] : [j + 1];
  return left.flatMap((k) => right.map((l) => [k, l] as const));
}

function shareChar(p: Token, q: Token): boolean {
  for (let code = 1; code <= LAST; code++) if (p.accepts(code) && q.accepts(code)) return true;
  return false;
}

function tokens(source: string): Token[] {
  const out: Token[] = [];
  for (let i = 0; i < source.length; i++) {
    const char = source[i] ?? "";
    let accepts: (code: number) => boolean = (code) => code === Math.min(char.charCodeAt(0), LAST);
    if (char === ".") accepts = () => true;
    else if (char === "\\") {
      const literal = source.charCodeAt(++i);
      if (Number.isNaN(literal)) throw bad("trailing backslash");
      accepts = (code) => code === literal;
    } else if (char === "[") {
      const end = source.indexOf("]", i);
      if (end < 0) throw bad("missing closing ]");
      accepts = members(source.slice(i + 1, end));
      i = end;
    } else if (char === "]") {
      const place = `input:${source}, pos:${Buffer.byteLength(source.slice(0, i)) + 1}`;
      throw bad(`${place}, set-close ']' with no preceding '[': the input provided is invalid`);
    } else if (char === "*" || char === "+") throw bad(`unexpected ${char}`);
    const flag = source[i + 1];
    const flagged = flag === "*" || flag === "+";
    if (flagged) i++;
    out.push({ accepts, optional: flag === "*", many: flagged });
  }
  return out;
}

function members(body: string): (code: number) => boolean {
  const ranges: (readonly [number, number])[] = [];
  for (let i = 0; i < body.length; i++) {
    if (body[i] === "\\") i++;
    const from = body.charCodeAt(i);
    const isRange = body[i + 1] === "-" && i + 2 < body.length;
    ranges.push([from, isRange ? body.charCodeAt(i + 2) : from]);
    if (isRange) i += 2;
  }
  return (code) => ranges.some(([from, to]) => code >= from && code <= to);
}
