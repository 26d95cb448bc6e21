import { formatDuration } from "../std/mod.ts";

const nsPerSecond = 1_000_000_000n;

/** Nanoseconds as Go writes a duration, exact whatever their number: `1h30m0s`, `1.5ms`. */
export function formatNanoseconds(ns: bigint): string {
  if (ns < 0n) return `-${formatNanoseconds(-ns)}`;
  if (ns < nsPerSecond) return formatDuration(Number(ns) / 1e6);
  const seconds = ns / nsPerSecond;
  const fraction = trimZeros(`.${String(ns % nsPerSecond).padStart(9, "0")}`);
  const [hours, minutes] = [seconds / 3_600n, (seconds % 3_600n) / 60n];
  const tail = `${seconds % 60n}${fraction}s`;
  if (hours > 0n) return `${hours}h${minutes}m${tail}`;
  return minutes > 0n ? `${minutes}m${tail}` : tail;
}

function trimZeros(fraction: string): string {
  return fraction.replace(/\.?0+$/, "");
}

const unitNs: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: nsPerSecond,
  m: 60n * nsPerSecond,
  h: 3_600n * nsPerSecond,
};

/**
 * The nanoseconds of a duration as Go writes it: `1h30m`, `-1.5s`, `0`.
 * @throws {SyntaxError} with Go's words for what is wrong.
 */
export function parseNanoseconds(text: string): bigint {
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0n;
  if (body === "") throw invalidDuration(text);
  let total = 0n;
  for (let rest = body; rest !== ""; ) {
    const found = /^(\d*)(?:\.(\d*))?([^\d.]*)/.exec(rest);
    const [all = "", whole = "", fraction = "", unit = ""] = found ?? [];
    if (whole === "" && fraction === "") throw invalidDuration(text);
    if (unit === "") throw new SyntaxError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = Object.hasOwn(unitNs, unit) ? unitNs[unit] : undefined;
    if (scale === undefined) {
      throw new SyntaxError(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    }
    const digits = fraction.slice(0, 18);
    total += BigInt(whole || "0") * scale + (BigInt(digits || "0") * scale) / 10n ** BigInt(digits.length);
    if (total >= 1n << 63n) throw invalidDuration(text);
    rest = rest.slice(all.length);
  }
  return text.startsWith("-") ? -total : total;
}

function invalidDuration(text: string): SyntaxError {
  return new SyntaxError(`time: invalid duration ${JSON.stringify(text)}`);
}

/** A moment as Go prints it: `2023-08-14 10:11:12.5 +0200 CEST`. */
export function formatMoment(time: Temporal.ZonedDateTime): string {
  const { date, clock, fraction } = pieces(time);
  return `${date} ${clock}${fraction} ${offset(time, "")} ${zoneName(time)}`;
}

/** A moment as RFC 3339 with as many digits of the second as it needs. */
export function rfc3339Nano(time: Temporal.ZonedDateTime): string {
  const { date, clock, fraction } = pieces(time);
  return `${date}T${clock}${fraction}${time.offsetNanoseconds === 0 ? "Z" : offset(time, ":")}`;
}

/** Hours and minutes from UTC: `+0200`, with a separator between them. */
export function offset(time: Temporal.ZonedDateTime, separator: string): string {
  return time.offset.slice(0, 6).replace(":", separator);
}

/** A short name of the time zone: `UTC`, `CEST`; the offset where it has none. */
export function zoneName(time: Temporal.ZonedDateTime): string {
  if (time.timeZoneId === "UTC") return "UTC";
  if (/^[+-]/.test(time.timeZoneId)) return offset(time, "");
  const format = new Intl.DateTimeFormat("en-US", { timeZone: time.timeZoneId, timeZoneName: "short" });
  const name = format.formatToParts(time.epochMilliseconds).find(({ type }) => type === "timeZoneName")?.value ?? "";
  return /^[A-Z]{3,5}$/.test(name) ? name : offset(time, "");
}

function pieces(time: Temporal.ZonedDateTime): { date: string; clock: string; fraction: string } {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${String(time.year).padStart(4, "0")}-${two(time.month)}-${two(time.day)}`;
  const clock = `${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
  return { date, clock, fraction: trimZeros(`.${fractionOf(time)}`) };
}

/** The nine digits after the second. */
export function fractionOf({ millisecond, microsecond, nanosecond }: Temporal.ZonedDateTime): string {
  return [millisecond, microsecond, nanosecond].map((part) => String(part).padStart(3, "0")).join("");
}
