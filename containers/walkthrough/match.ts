/** Values that the walk-through has seen, by name. */
export type Values = Map<string, string>;

/**
 * Compare what a command printed with what was expected.
 *
 * In the expected lines `#` is any number, `…` anything, `{name}` one word that is remembered and expected again from
 * then on, and a line of three dots any lines. Runs of spaces may be of any length; empty lines and the rulers of tables do not count.
 *
 * @returns `undefined` when it matches, else the first expected line that was not found.
 */
export function matchOutput(expected: readonly string[], output: string, values: Values): string | undefined {
  const lines = output.split("\n").filter(counts);
  const wanted = expected.filter(counts);
  const found = new Map(values);
  let at = 0;
  let maySkip = false;
  for (const line of wanted) {
    if (line.trim() === "...") {
      maySkip = true;
      continue;
    }
    const hit = lines.findIndex((candidate, index) => index >= at && matchLine(line, candidate, found));
    if (hit < 0 || (!maySkip && hit > at)) return line;
    remember(line, lines[hit] ?? "", found);
    at = hit + 1;
    maySkip = false;
  }
  if (!maySkip && at < lines.length) return `nothing after that, but there is: ${lines[at]}`;
  for (const [name, value] of found) values.set(name, value);
  return undefined;
}

function counts(line: string): boolean {
  return !/^[\s─│├┼┤┬┴╭╮╰╯]*$/.test(line);
}

function matchLine(expected: string, line: string, values: Values): boolean {
  return pattern(expected, values).test(line);
}

function remember(expected: string, line: string, values: Values): void {
  for (const [name, value] of Object.entries(pattern(expected, values).exec(line)?.groups ?? {})) {
    if (value !== undefined) values.set(name, value);
  }
}

const pieces = /\{(\w+)\}|#|…|\s+|[^{#…\s]+|\{/g;

function pattern(expected: string, values: Values): RegExp {
  const named = new Set<string>();
  const source = expected.trim().replace(pieces, (piece, name: string | undefined) => {
    if (name !== undefined) return placeholder(name, values, named);
    if (piece === "#") return "\\d[\\d,.]*";
    if (piece === "…") return ".*?";
    if (/^\s+$/.test(piece)) return "\\s+";
    return RegExp.escape(piece);
  });
  return new RegExp(`^\\s*${source}\\s*$`);
}

function placeholder(name: string, values: Values, named: Set<string>): string {
  const value = values.get(name);
  if (value !== undefined) return RegExp.escape(value);
  if (named.has(name)) return `\\k<${name}>`;
  named.add(name);
  return `(?<${name}>\\S+)`;
}
