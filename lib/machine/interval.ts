import { parseDuration } from "../std/mod.ts";

/** Hours in the units that Go's durations do not have. */
const unitHours: Readonly<Record<string, number>> = {
  w: 168,
  W: 168,
  d: 24,
  D: 24,
  M: 720,
  y: 8_760,
  Y: 8_760,
};

/**
 * Read an interval of a manifest in milliseconds: a duration of Go's (`1h30m`, `500ms`), or a number of days, weeks,
 * months (`M`) or years, cut to whole hours. Nothing is 0.
 *
 * @throws {SyntaxError} with the texts that peers know, for example `invalid time unit x`.
 */
export function parseInterval(text: string): number {
  const trimmed = text.trim();
  const unit = trimmed.at(-1);
  if (unit === undefined) return 0;
  if (Object.hasOwn(unitHours, unit))
    return Math.trunc(number(trimmed.slice(0, -1)) * (unitHours[unit] ?? 0)) * 3_600_000;
  if (!/[sSmhH]/.test(unit)) throw new SyntaxError(`invalid time unit ${unit}`);
  try {
    return parseDuration(trimmed, { units: "go" });
  } catch (error) {
    throw new SyntaxError(goFault(trimmed), { cause: error });
  }
}

function number(text: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  throw new SyntaxError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** What Go says of a duration that it cannot read. */
function goFault(text: string): string {
  const shown = JSON.stringify(text);
  const units = text.matchAll(/[\d.]([^\d.]+)/g);
  for (const [, unit = ""] of units) {
    if (!["ns", "us", "µs", "ms", "s", "m", "h"].includes(unit)) {
      return `time: unknown unit ${JSON.stringify(unit)} in duration ${shown}`;
    }
  }
  return `time: invalid duration ${shown}`;
}
