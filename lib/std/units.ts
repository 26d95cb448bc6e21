import { formatRemaining } from "./duration.ts";

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** A number of bytes for people: `0 B`, `7.2 KiB`, `37 KiB`. One digit after the point below ten. */
export function formatBytes(bytes: number): string {
  if (bytes < 10) return `${Math.trunc(bytes)} B`;
  const power = Math.min(Math.floor(Math.log(bytes) / Math.log(1_024)), byteUnits.length - 1);
  const value = Math.round((bytes / 1_024 ** power) * 10) / 10;
  return `${power > 0 && value < 10 ? value.toFixed(1) : value.toFixed(0)} ${byteUnits[power]}`;
}

const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  K: 1_024,
  M: 1_024 ** 2,
  G: 1_024 ** 3,
  T: 1_024 ** 4,
};

/**
 * Read a number of bytes such as `1024`, `10MB` or `1.5G`, whose units count by 1024; a negative number is given back as
 * it is.
 *
 * @throws {SyntaxError} when the text is no size.
 */
export function parseBytes(text: string): number {
  const match = /^(-?\d+(?:\.\d+)?)\s*([bkmgt])?(?:i?b)?$/i.exec(text.trim());
  const unit = sizeUnits[(match?.[2] ?? "").toUpperCase()];
  if (match === null || unit === undefined) {
    throw new SyntaxError(`Cannot read the size "${text}": use a number of bytes, or a unit as in 512KB, 10MB or 1GB`);
  }
  return Math.round(Number(match[1]) * unit);
}

/** A number with commas between its thousands. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** How long something takes or is ago, for people: `49ms`, `16.36s`, `2m5s`, `1d0h0m0s`. */
export function formatSpan(ms: number): string {
  return ms < 1_000 ? `${Math.max(0, Math.round(ms))}ms` : formatRemaining(ms);
}
