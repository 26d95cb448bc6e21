import { fractionOf, offset, zoneName } from "./_time.ts";

/** Names as layouts of Go write them. */
export const monthNames: readonly string[] =
  "January February March April May June July August September October November December".split(" ");
/** Names from Sunday, which is 0. */
export const dayNames: readonly string[] = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** The parts of a layout, the longest spelling first. */
const layoutPart =
  /January|Jan|Monday|Mon|MST|2006|Z07:00|Z0700|Z07|-07:00|-0700|-07|[.,](?:0+|9+)(?!\d)|002|01|02|03|04|05|06|15|_2|PM|pm|[1-5]/g;

/** Longest text that is read, and most parts of a layout: the time of trying grows with both. */
const maxText = 200;
const maxParts = 16;

/** What the parts of a layout say of a moment. */
type Fields = {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  fraction: string;
  dayOfYear: number | undefined;
  isAfternoon: boolean | undefined;
  zone: string | undefined;
};

interface Part {
  write: (time: Temporal.ZonedDateTime) => string;
  /** How it may be written. */
  pattern: string;
  read: (text: string, fields: Fields) => void;
}

const two = (value: number) => String(value).padStart(2, "0");
const short = (names: readonly string[]) => names.map((name) => name.slice(0, 3));
const anyOf = (names: readonly string[]) => `(?:${names.join("|")})`;
const nothing = () => {};

function number(
  pattern: string,
  write: (time: Temporal.ZonedDateTime) => string,
  field: "year" | "month" | "day" | "hour" | "minute" | "second" | "dayOfYear",
): Part {
  return {
    pattern,
    write,
    read: (text, fields) => {
      fields[field] = Number(text);
    },
  };
}

function month(names: readonly string[]): Part {
  const low = names.map((name) => name.toLowerCase());
  return {
    pattern: anyOf(names),
    write: ({ month }) => names[month - 1] ?? "",
    read: (text, fields) => {
      fields.month = low.indexOf(text.toLowerCase()) + 1;
    },
  };
}

function weekday(names: readonly string[]): Part {
  return { pattern: anyOf(names), write: ({ dayOfWeek }) => names[dayOfWeek % 7] ?? "", read: nothing };
}

function half(morning: string, afternoon: string): Part {
  return {
    pattern: anyOf([morning, afternoon]),
    write: ({ hour }) => (hour >= 12 ? afternoon : morning),
    read: (text, fields) => {
      fields.isAfternoon = text.toUpperCase() === "PM";
    },
  };
}

function zone(pattern: string, write: (time: Temporal.ZonedDateTime) => string): Part {
  return {
    pattern,
    write,
    read: (text, fields) => {
      const digits = text.replace(":", "");
      fields.zone = /^[+-]/.test(digits) ? `${digits.slice(0, 3)}:${digits.slice(3, 5) || "00"}` : "UTC";
    },
  };
}

const orZ = (write: (time: Temporal.ZonedDateTime) => string) => (time: Temporal.ZonedDateTime) =>
  time.offsetNanoseconds === 0 ? "Z" : write(time);
const hours = (time: Temporal.ZonedDateTime) => time.offset.slice(0, 3);
const compact = (time: Temporal.ZonedDateTime) => offset(time, "");
const colon = (time: Temporal.ZonedDateTime) => offset(time, ":");
const twelve = (hour: number) => hour % 12 || 12;

const parts: Readonly<Record<string, Part>> = {
  January: month(monthNames),
  Jan: month(short(monthNames)),
  Monday: weekday(dayNames),
  Mon: weekday(short(dayNames)),
  "2006": number("\\d{4}", ({ year }) => String(year).padStart(4, "0"), "year"),
  "06": {
    pattern: "\\d{2}",
    write: ({ year }) => two(year % 100),
    read: (text, fields) => {
      fields.year = Number(text) + (Number(text) >= 69 ? 1900 : 2000);
    },
  },
  "01": number("\\d{2}", ({ month }) => two(month), "month"),
  "1": number("\\d{1,2}", ({ month }) => String(month), "month"),
  "02": number("\\d{2}", ({ day }) => two(day), "day"),
  _2: number(" ?\\d{1,2}", ({ day }) => String(day).padStart(2), "day"),
  "2": number("\\d{1,2}", ({ day }) => String(day), "day"),
  "002": number("\\d{3}", ({ dayOfYear }) => String(dayOfYear).padStart(3, "0"), "dayOfYear"),
  "15": number("\\d{1,2}", ({ hour }) => two(hour), "hour"),
  "03": number("\\d{2}", ({ hour }) => two(twelve(hour)), "hour"),
  "3": number("\\d{1,2}", ({ hour }) => String(twelve(hour)), "hour"),
  "04": number("\\d{2}", ({ minute }) => two(minute), "minute"),
  "4": number("\\d{1,2}", ({ minute }) => String(minute), "minute"),
  "05": number("\\d{2}", ({ second }) => two(second), "second"),
  "5": number("\\d{1,2}", ({ second }) => String(second), "second"),
  PM: half("AM", "PM"),
  pm: half("am", "pm"),
  MST: zone("(?:[A-Z]{3,5}|[+-]\\d{2})", zoneName),
  "Z07:00": zone("(?:Z|[+-]\\d{2}:\\d{2})", orZ(colon)),
  Z0700: zone("(?:Z|[+-]\\d{4})", orZ(compact)),
  Z07: zone("(?:Z|[+-]\\d{2})", orZ(hours)),
  "-07:00": zone("[+-]\\d{2}:\\d{2}", colon),
  "-0700": zone("[+-]\\d{4}", compact),
  "-07": zone("[+-]\\d{2}", hours),
};

/** Digits of the second: as many as there are zeros, or up to as many as there are nines. */
function fraction(spelled: string): Part {
  const digits = spelled.length - 1;
  const isTrimmed = spelled.includes("9");
  return {
    pattern: isTrimmed ? "(?:[.,]\\d{1,18})?" : `[.,]\\d{${digits}}`,
    write: (time) => {
      const text = `${spelled[0]}${fractionOf(time).slice(0, digits)}`;
      return isTrimmed ? text.replace(/[.,]?0*$/, "") : text;
    },
    read: (text, fields) => {
      fields.fraction = text.slice(1, 10);
    },
  };
}

function partOf(spelled: string): Part {
  return parts[spelled] ?? fraction(spelled);
}

/** Write a moment by a layout of Go, such as `2006-01-02 15:04:05`. */
export function formatLayout(time: Temporal.ZonedDateTime, layout: string): string {
  return layout.replace(layoutPart, (spelled) => partOf(spelled).write(time));
}

/**
 * Read a moment by a layout of Go. What it does not say is zero; a time zone it does not say is the one given.
 * @throws {RangeError} when the text does not follow the layout, or names no day there is.
 */
export function parseLayout(text: string, layout: string, timeZone: string): Temporal.ZonedDateTime {
  const { pattern, used } = compileLayout(layout);
  const found = text.length > maxText ? null : pattern.exec(text);
  if (found === null) throw new RangeError(`Cannot read "${text.slice(0, maxText)}" as "${layout}"`);
  const fields = emptyFields();
  for (const [i, part] of used.entries()) {
    const value = found[i + 1];
    if (value !== undefined && value !== "") part.read(value, fields);
  }
  return moment(fields, timeZone);
}

/** A layout as the regular expression of the texts that follow it; each group is read by the part of its place. */
function compileLayout(layout: string): { pattern: RegExp; used: readonly Part[] } {
  const used: Part[] = [];
  let [pattern, end] = ["^", 0];
  for (const found of layout.matchAll(layoutPart)) {
    const [spelled] = found;
    used.push(partOf(spelled));
    pattern += `${literal(layout.slice(end, found.index))}(${used.at(-1)?.pattern})`;
    end = found.index + spelled.length;
    // Digits of the second may follow it where the layout has none.
    if ((spelled === "05" || spelled === "5") && !/^[.,][09]/.test(layout.slice(end))) {
      used.push(fraction(".9"));
      pattern += "([.,]\\d{1,18})?";
    }
  }
  if (used.length > maxParts) throw new RangeError(`The layout "${layout.slice(0, maxText)}" has too many parts`);
  return { pattern: new RegExp(`${pattern}${literal(layout.slice(end))}$`, "i"), used };
}

function emptyFields(): Fields {
  const unknown = { dayOfYear: undefined, isAfternoon: undefined, zone: undefined };
  return { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, fraction: "", ...unknown };
}

function moment(fields: Fields, timeZone: string): Temporal.ZonedDateTime {
  const { year, month, day, minute, second, fraction, dayOfYear, isAfternoon, zone } = fields;
  const hour = isAfternoon === undefined ? fields.hour : (fields.hour % 12) + (isAfternoon ? 12 : 0);
  const digits = Number(fraction.padEnd(9, "0"));
  const clock = {
    hour,
    minute,
    second,
    millisecond: Math.trunc(digits / 1e6),
    microsecond: Math.trunc(digits / 1e3) % 1e3,
    nanosecond: digits % 1e3,
  };
  const first = Temporal.PlainDate.from({ year, month, day }, { overflow: "reject" });
  const date = dayOfYear === undefined ? first : first.with({ month: 1, day: 1 }).add({ days: dayOfYear - 1 });
  const time = Temporal.PlainTime.from(clock, { overflow: "reject" });
  return date.toPlainDateTime(time).toZonedDateTime(zone ?? timeZone);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
