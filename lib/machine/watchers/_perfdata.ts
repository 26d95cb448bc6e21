/** One figure that a check printed. */
export interface PerfData {
  unit: string;
  label: string;
  value: number;
}

/** Most figures that are kept of one output, and most characters in which they are looked for: they are published. */
const mostFigures = 256;
const mostText = 16_384;

const valueAndUnit = /^([-*\d+.]+)(us|ms|s|%|B|KB|MB|TB|c)*/;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;

/**
 * The figures that follow the `|` in a check's output, as `label=1.5s;warn;crit`; undefined where there are none. What
 * is no figure is left out, as are warnings and limits. A label cannot hold a blank, not even in quotes.
 */
export function parsePerfData(output: string): PerfData[] | undefined {
  const parts = output.split("|", 3);
  if (parts.length !== 2) return undefined;
  const tokens = (parts[1] ?? "").trim().slice(0, mostText).split(" ", mostFigures);
  const found = tokens.map(figureOf).filter((figure) => figure !== undefined);
  return found.length === 0 ? undefined : found;
}

function figureOf(token: string): PerfData | undefined {
  const bare = token.replace(/^'/, "").replace(/'$/, "").replace(/;.*$/s, "");
  const [label, text, ...more] = bare.split("=", 3);
  if (label === undefined || text === undefined || more.length > 0) return undefined;
  const match = valueAndUnit.exec(text);
  const digits = match?.[1] ?? "";
  const value = Number(digits);
  if (!decimal.test(digits) || !Number.isFinite(value)) return undefined;
  return { unit: match?.[2] ?? "", label, value };
}
