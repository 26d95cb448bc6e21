import { parseDuration } from "../std/mod.ts";

const hours: Readonly<Record<string, number>> = { d: 24, D: 24, w: 168, W: 168, M: 720, y: 8_760, Y: 8_760 };

/**
 * Read a duration of the replicator's configuration and give it in milliseconds; empty text is none. A last letter out
 * of `w W d D M Y y` takes one number before it, of which whole hours count; anything else is Go's: `500ms`, `1h30m`.
 *
 * @throws {SyntaxError} in the words that operators know: `invalid time unit x`, `time: unknown unit "H" in duration "5H"`.
 */
export function parseReplicatorDuration(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "") return 0;
  const unit = trimmed.slice(-1);
  const hoursOfUnit = hours[unit];
  if (hoursOfUnit !== undefined) return Math.trunc(leadingNumber(trimmed.slice(0, -1)) * hoursOfUnit) * 3_600_000;
  if (!/[sSmhH]/.test(unit)) throw new SyntaxError(`invalid time unit ${unit}`);
  checkGoDuration(trimmed);
  return parseDuration(trimmed, { units: "go" });
}

function leadingNumber(text: string): number {
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  throw new SyntaxError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function checkGoDuration(text: string): void {
  const known = new Set(["ns", "us", "µs", "ms", "s", "m", "h"]);
  let rest = text.replace(/^[+-]/, "");
  while (rest !== "") {
    const part = /^(?:\d+(?:\.\d*)?|\.\d+)([^\d.]*)/.exec(rest);
    if (part === null) throw new SyntaxError(`time: invalid duration ${JSON.stringify(text)}`);
    const unit = part[1] ?? "";
    if (unit === "") throw new SyntaxError(`time: missing unit in duration ${JSON.stringify(text)}`);
    if (!known.has(unit)) {
      throw new SyntaxError(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    }
    rest = rest.slice(part[0].length);
  }
}
