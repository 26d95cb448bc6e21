/** Milliseconds in each unit that a Choria duration may carry; a month is 30 days, a year 365. */
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  D: 86_400_000,
  w: 604_800_000,
  W: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
  Y: 31_536_000_000,
};

const goUnits = new Set(["ns", "us", "µs", "ms", "s", "m", "h"]);
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|[smhdDwWMyY])/y;

/** Which spellings {@link parseDuration} accepts. */
export interface DurationOptions {
  /**
   * `extended` adds days, weeks, months (`M`) and years to Go's units; `go` takes Go's alone, as the
   * AAA service's configuration does.
   * @default "extended"
   */
  units?: "go" | "extended";
  /**
   * Take a bare number as seconds, as `.conf` files do.
   * @default false
   */
  bareSeconds?: boolean;
}

/**
 * Read a duration such as `1h30m`, `500ms` or `365d` and give it in milliseconds.
 *
 * @throws {SyntaxError} when the text is not a duration in the accepted units.
 */
export function parseDuration(text: string, options: DurationOptions = {}): number {
  const { units = "extended", bareSeconds = false } = options;
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (bareSeconds && /^\d+$/.test(trimmed)) return Number(trimmed) * 1_000;
  const negative = trimmed.startsWith("-");
  const body = trimmed.replace(/^[+-]/, "");
  let total = 0;
  let at = 0;
  while (at < body.length) {
    part.lastIndex = at;
    const match = part.exec(body);
    const unit = match?.[2] ?? "";
    if (match === null || (units === "go" && !goUnits.has(unit))) throw invalid(text, units);
    total += Number(match[1]) * (unitMs[unit] ?? Number.NaN);
    at = part.lastIndex;
  }
  if (body === "" || !Number.isFinite(total)) throw invalid(text, units);
  return negative ? -total : total;
}

/**
 * Write milliseconds as Go does, exact to the nanosecond: `355ms`, `4.045s`, `1m3.2s`, `0s`.
 */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? "-" : "";
  const ns = Math.round(Math.abs(ms) * 1e6);
  if (ns === 0) return "0s";
  if (ns < 1_000) return `${sign}${ns}ns`;
  if (ns < 1_000_000) return `${sign}${trimZeros(ns / 1e3, 3)}µs`;
  if (ns < 1_000_000_000) return `${sign}${trimZeros(ns / 1e6, 6)}ms`;
  const hours = Math.floor(ns / 3.6e12);
  const minutes = Math.floor((ns % 3.6e12) / 6e10);
  const seconds = `${trimZeros((ns % 6e10) / 1e9, 9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/**
 * Write how long something still lasts, for people: `364d23h59m59s`, `53m59s`, and below a minute
 * seconds with two decimals (`12.34s`).
 */
export function formatRemaining(ms: number): string {
  const total = Math.floor(Math.abs(ms) / 1_000);
  if (total < 60) return `${(Math.abs(ms) / 1_000).toFixed(2)}s`;
  const years = Math.floor(total / 31_536_000);
  const days = Math.floor((total % 31_536_000) / 86_400);
  const hours = Math.floor((total % 86_400) / 3_600);
  const minutes = Math.floor((total % 3_600) / 60);
  const values: [number, string][] = [
    [years, "y"],
    [days, "d"],
    [hours, "h"],
    [minutes, "m"],
    [total % 60, "s"],
  ];
  const first = values.findIndex(([value]) => value > 0);
  return values
    .slice(first)
    .map(([value, unit]) => `${value}${unit}`)
    .join("");
}

function trimZeros(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, "");
}

function invalid(text: string, units: "go" | "extended"): SyntaxError {
  const known = units === "go" ? "ns, us, ms, s, m, h" : "ns, us, ms, s, m, h, d, w, M, y";
  return new SyntaxError(`Cannot read the duration "${text}": use numbers with the units ${known}, for example 1h30m`);
}
