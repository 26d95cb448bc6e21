import { fromDecimal, normalizeInteger, parseDecimal } from "../_scalars.ts";
import type { Context } from "../context.ts";
import { isArray, type RegoValue } from "../values.ts";
import { type Args, any, bad, bigInt, type Family, fn, int, operandError, str } from "./_kit.ts";
import { type Civil, daysFromCivil, formatLayout, NAMED_LAYOUTS, parseLayout, weekdayName } from "./_layout.ts";

const MAX_NS = (1n << 63n) - 1n;
const MIN_NS = -(1n << 63n);
const MAX_ZONES = 20;
const MAX_DURATION = 256;
const BILLION = 1_000_000_000n;

interface Moment {
  readonly ns: bigint;
  readonly zone: string;
  readonly layout: string;
}

function inRange(ns: bigint): number | bigint {
  if (ns > MAX_NS || ns < MIN_NS) throw bad("time outside of valid range");
  return normalizeInteger(ns);
}

function moment(args: Args, i = 0): Moment {
  const value = any(args, i);
  const parts = isArray(value) ? value : [value];
  const zone = parts[1] ?? "";
  const layout = parts[2] ?? "";
  if (typeof zone !== "string" || typeof layout !== "string")
    throw operandError(i, "array of number and strings", value);
  const given = parts[0] ?? null;
  const whole: RegoValue = typeof given === "number" && !Number.isInteger(given) ? Math.trunc(given) : given;
  const ns = bigInt([whole], 0);
  if (ns > MAX_NS || ns < MIN_NS) throw bad("timestamp too big");
  return { ns, zone, layout };
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

interface ZoneFormat {
  readonly parts: Intl.DateTimeFormat;
  readonly name: Intl.DateTimeFormat;
}

function zoneFormat(c: Context, zone: string): ZoneFormat {
  const known = c.shared.zones.get(zone) as ZoneFormat | undefined;
  if (known !== undefined) return known;
  try {
    const base = { timeZone: zone, hourCycle: "h23", era: "short" } as const;
    const two = {
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    } as const;
    const made: ZoneFormat = {
      parts: new Intl.DateTimeFormat("en-US", { ...base, ...two }),
      name: new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "short" }),
    };
    if (c.shared.zones.size >= MAX_ZONES) c.shared.zones.clear();
    c.shared.zones.set(zone, made);
    return made;
  } catch {
    throw bad(`unknown time zone ${zone}`);
  }
}

function offsetAt(c: Context, zone: string, seconds: number): number {
  const date = new Date(seconds * 1000);
  const fields: Record<string, string> = {};
  for (const { type, value } of zoneFormat(c, zone).parts.formatToParts(date)) fields[type] = value;
  const year = fields.era === "BC" ? 1 - Number(fields.year) : Number(fields.year);
  const days = daysFromCivil(year, Number(fields.month), Number(fields.day));
  return days * 86_400 + Number(fields.hour) * 3600 + Number(fields.minute) * 60 + Number(fields.second) - seconds;
}

function shortName(c: Context, zone: string, seconds: number, offset: number): string {
  const name = zoneFormat(c, zone)
    .name.formatToParts(new Date(seconds * 1000))
    .find((part) => part.type === "timeZoneName")?.value;
  if (name !== undefined && /^[A-Z]+$/.test(name)) return name;
  const minutes = Math.abs(offset) / 60;
  const tail = minutes % 60 === 0 ? "" : String(minutes % 60).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${String(Math.floor(minutes / 60)).padStart(2, "0")}${tail}`;
}

function civil(c: Context, { ns, zone }: Moment): Civil {
  const seconds = Number(floorDiv(ns, BILLION));
  const isUtc = zone === "" || zone === "UTC" || zone === "Local";
  const offset = isUtc ? 0 : offsetAt(c, zone, seconds);
  const name = isUtc ? "UTC" : shortName(c, zone, seconds, offset);
  const date = new Date((seconds + offset) * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nano: Number(ns - BigInt(seconds) * BILLION),
    offset,
    zone: name,
  };
}

function toNs(t: Civil): bigint {
  const seconds =
    BigInt(daysFromCivil(t.year, t.month, t.day)) * 86_400n +
    BigInt(t.hour * 3600 + t.minute * 60 + t.second - t.offset);
  return seconds * BILLION + BigInt(t.nano);
}

function now(c: Context): RegoValue {
  const known = c.memo.get("now");
  if (typeof known === "bigint") return normalizeInteger(known);
  const made = BigInt(Math.round(c.now() * 1000)) * 1000n;
  c.memo.set("now", made);
  return normalizeInteger(made);
}

function addDate(args: Args, c: Context): RegoValue {
  const at = moment(args);
  const t = civil(c, at);
  const moved = {
    ...t,
    year: t.year + int(args, 1),
    month: t.month + int(args, 2),
    day: t.day + int(args, 3),
    offset: 0,
  };
  if (Math.abs(moved.year) > 10_000 || Math.abs(moved.month) > 100_000 || Math.abs(moved.day) > 4_000_000)
    throw bad("time outside of valid range");
  const local = toNs(moved);
  if (at.zone === "" || at.zone === "UTC" || at.zone === "Local") return inRange(local);
  const guess = offsetAt(c, at.zone, Number(floorDiv(local, BILLION)) - t.offset);
  return inRange(local - BigInt(guess) * BILLION);
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: BILLION,
  m: 60n * BILLION,
  h: 3600n * BILLION,
  d: 86_400n * BILLION,
  w: 604_800n * BILLION,
  y: 31_536_000n * BILLION,
};

function parseDuration(args: Args): RegoValue {
  const text = str(args, 0);
  if (text.length > MAX_DURATION) throw bad("invalid duration: too long");
  const sign = text.startsWith("-") ? -1n : 1n;
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  const parts = [...body.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w|y)/gy)];
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== body)
    throw bad(`invalid duration ${JSON.stringify(text)}`);
  let total = 0n;
  for (const [, digits = "", unit = ""] of parts) {
    const decimal = parseDecimal(digits.replace(/^\./, "0."));
    const factor = UNITS[unit];
    if (decimal === undefined || factor === undefined) throw bad(`invalid duration ${JSON.stringify(text)}`);
    const value = fromDecimal({ digits: decimal.digits * factor, exponent: decimal.exponent });
    total += typeof value === "bigint" ? value : BigInt(Math.trunc(value));
  }
  if (total > MAX_NS) throw bad(`invalid duration ${JSON.stringify(text)}`);
  return normalizeInteger(total * sign);
}

function diff(args: Args, c: Context): RegoValue {
  const first = moment(args, 0);
  let [a, b] = [civil(c, first), civil(c, { ...moment(args, 1), zone: first.zone })];
  if (toNs(a) > toNs(b)) [a, b] = [b, a];
  const fields = [
    b.year - a.year,
    b.month - a.month,
    b.day - a.day,
    b.hour - a.hour,
    b.minute - a.minute,
    b.second - a.second,
  ];
  const monthDays = daysFromCivil(a.year, a.month + 1, 1) - daysFromCivil(a.year, a.month, 1);
  const limits = [0, 12, monthDays, 24, 60, 60];
  for (let i = fields.length - 1; i > 0; i--) {
    const value = fields[i] ?? 0;
    if (value >= 0) continue;
    fields[i] = value + (limits[i] ?? 0);
    fields[i - 1] = (fields[i - 1] ?? 0) - 1;
  }
  return fields;
}

function format(args: Args, c: Context): RegoValue {
  const at = moment(args);
  const layout = at.layout === "" ? "2006-01-02T15:04:05.999999999Z07:00" : (NAMED_LAYOUTS[at.layout] ?? at.layout);
  return formatLayout(layout, civil(c, at));
}

/** Dates and times; moments are nanoseconds since 1970, alone or in an array with a zone. */
export const TIME: Family = {
  "time.now_ns": fn(0, (_, c) => now(c)),
  "time.date": fn(1, (a, c) => dateOf(civil(c, moment(a)))),
  "time.clock": fn(1, (a, c) => clockOf(civil(c, moment(a)))),
  "time.weekday": fn(1, (a, c) => weekdayName(civil(c, moment(a)))),
  "time.add_date": fn(4, addDate),
  "time.diff": fn(2, diff),
  "time.format": fn(1, format),
  "time.parse_ns": fn(2, (a) => inRange(toNs(parseLayout(NAMED_LAYOUTS[str(a, 0)] ?? str(a, 0), str(a, 1))))),
  "time.parse_rfc3339_ns": fn(1, (a) => inRange(toNs(parseLayout("2006-01-02T15:04:05Z07:00", str(a, 0))))),
  "time.parse_duration_ns": fn(1, parseDuration),
};

function dateOf({ year, month, day }: Civil): RegoValue {
  return [year, month, day];
}

function clockOf({ hour, minute, second }: Civil): RegoValue {
  return [hour, minute, second];
}
