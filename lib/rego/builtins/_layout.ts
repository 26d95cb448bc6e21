import { bad } from "./_kit.ts";

/** A moment in a zone, taken apart. */
export interface Civil {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nano: number;
  /** Seconds east of UTC. */
  offset: number;
  /** Short name of the zone. */
  zone: string;
}

/** Layouts that have names. */
export const NAMED_LAYOUTS: Readonly<Record<string, string>> = {
  ANSIC: "Mon Jan _2 15:04:05 2006",
  UnixDate: "Mon Jan _2 15:04:05 MST 2006",
  RubyDate: "Mon Jan 02 15:04:05 -0700 2006",
  RFC822: "02 Jan 06 15:04 MST",
  RFC822Z: "02 Jan 06 15:04 -0700",
  RFC850: "Monday, 02-Jan-06 15:04:05 MST",
  RFC1123: "Mon, 02 Jan 2006 15:04:05 MST",
  RFC1123Z: "Mon, 02 Jan 2006 15:04:05 -0700",
  RFC3339: "2006-01-02T15:04:05Z07:00",
  RFC3339Nano: "2006-01-02T15:04:05.999999999Z07:00",
};

const TOKEN =
  /January|Jan|Monday|Mon|MST|2006|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07|__2|_2|002|01|02|03|04|05|06|15|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5/g;
const MAX_LAYOUT = 256;
const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Name of a month, 1 to 12. */
export function monthName(month: number): string {
  return MONTHS[month - 1] ?? "";
}

/** Days from 1970-01-01 to a date; days and months may be out of their usual range. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return Math.round(date.getTime() / 86_400_000);
}

/** Name of the weekday of a date. */
export function weekdayName({ year, month, day }: Civil): string {
  return DAYS[(((daysFromCivil(year, month, day) + 4) % 7) + 7) % 7] ?? "";
}

function two(value: number, fill = "0"): string {
  return String(value).padStart(2, fill);
}

function zoneText(token: string, offset: number): string {
  if (token.startsWith("Z") && offset === 0) return "Z";
  const seconds = Math.abs(offset);
  const colon = token.includes(":") ? ":" : "";
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => two(part));
  const count = token.replace(/[^0-9]/g, "").length / 2;
  return (offset < 0 ? "-" : "+") + parts.slice(0, count).join(colon);
}

function fractionText(token: string, nano: number): string {
  const digits = String(nano)
    .padStart(9, "0")
    .slice(0, Math.min(9, token.length - 1));
  if (token[1] === "0") return token[0] + digits.padEnd(token.length - 1, "0");
  const short = digits.replace(/0+$/, "");
  return short === "" ? "" : token[0] + short;
}

function tokenText(token: string, t: Civil): string {
  switch (token) {
    case "January":
      return monthName(t.month);
    case "Jan":
      return monthName(t.month).slice(0, 3);
    case "Monday":
      return weekdayName(t);
    case "Mon":
      return weekdayName(t).slice(0, 3);
    case "MST":
      return t.zone;
    case "2006":
      return String(t.year).padStart(4, "0");
    case "06":
      return two(((t.year % 100) + 100) % 100);
    case "01":
      return two(t.month);
    case "1":
      return String(t.month);
    case "02":
      return two(t.day);
    case "_2":
      return two(t.day, " ");
    case "2":
      return String(t.day);
    case "002":
      return String(yearDay(t)).padStart(3, "0");
    case "__2":
      return String(yearDay(t)).padStart(3, " ");
    case "15":
      return two(t.hour);
    case "03":
      return two(t.hour % 12 || 12);
    case "3":
      return String(t.hour % 12 || 12);
    case "04":
      return two(t.minute);
    case "4":
      return String(t.minute);
    case "05":
      return two(t.second);
    case "5":
      return String(t.second);
    case "PM":
      return t.hour >= 12 ? "PM" : "AM";
    case "pm":
      return t.hour >= 12 ? "pm" : "am";
    default:
      return /^[.,]/.test(token) ? fractionText(token, t.nano) : zoneText(token, t.offset);
  }
}

function yearDay({ year, month, day }: Civil): number {
  return daysFromCivil(year, month, day) - daysFromCivil(year, 1, 1) + 1;
}

/** Writes a moment by a reference layout (`2006-01-02 15:04:05`). */
export function formatLayout(layout: string, t: Civil): string {
  return layout.replace(TOKEN, (token) => tokenText(token, t));
}

const READERS: Readonly<Record<string, string>> = {
  "2006": "(?<year>\\d{4})",
  "06": "(?<shortYear>\\d{2})",
  "01": "(?<month>\\d{2})",
  "1": "(?<month>\\d{1,2})",
  "02": "(?<day>\\d{2})",
  "2": "(?<day>\\d{1,2})",
  _2: " ?(?<day>\\d{1,2})",
  "002": "(?<yearDay>\\d{3})",
  __2: " {0,2}(?<yearDay>\\d{1,3})",
  "15": "(?<hour>\\d{2})",
  "03": "(?<hour>\\d{2})",
  "3": "(?<hour>\\d{1,2})",
  "04": "(?<minute>\\d{2})",
  "4": "(?<minute>\\d{1,2})",
  "05": "(?<second>\\d{2})",
  "5": "(?<second>\\d{1,2})",
  PM: "(?<half>AM|PM)",
  pm: "(?<half>am|pm)",
  January: `(?<name>${MONTHS.join("|")})`,
  Jan: `(?<name>${MONTHS.map((name) => name.slice(0, 3)).join("|")})`,
  Monday: `(?:${DAYS.join("|")})`,
  Mon: `(?:${DAYS.map((name) => name.slice(0, 3)).join("|")})`,
  MST: "(?<zone>[A-Z]{3,5}|[+-]\\d{2})",
};

function reader(token: string, hasFraction: boolean): string {
  const known = READERS[token];
  if (token === "05" || token === "5") return `${known}${hasFraction ? "" : "(?:[.,](?<nano>\\d+))?"}`;
  if (known !== undefined) return known;
  if (token.startsWith(".") || token.startsWith(","))
    return token[1] === "0" ? `[.,](?<nano>\\d{${token.length - 1}})` : "(?:[.,](?<nano>\\d+))?";
  const body = token.replace(/^Z|^-/, "").replace(/\d\d/g, "\\d{2}");
  return `(?<offset>${token.startsWith("Z") ? "Z|" : ""}[+-]${body})`;
}

/** Reads a text by a reference layout; parts that the layout leaves out are those of the year 0 in UTC. */
export function parseLayout(layout: string, text: string): Civil {
  if (layout.length > MAX_LAYOUT || text.length > MAX_LAYOUT) throw bad("the time or its layout is too long");
  const hasFraction = /[.,](?:0+|9+)(?!\d)/.test(layout);
  let source = "";
  let end = 0;
  for (const match of layout.matchAll(TOKEN)) {
    source += RegExp.escape(layout.slice(end, match.index)) + reader(match[0], hasFraction);
    end = match.index + match[0].length;
  }
  const groups = compileReader(source + RegExp.escape(layout.slice(end))).exec(text)?.groups;
  if (groups === undefined)
    throw bad(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse`);
  return fromGroups(groups, text);
}

function compileReader(source: string): RegExp {
  try {
    return new RegExp(`^${source}$`);
  } catch {
    throw bad("unsupported time layout");
  }
}

function fromGroups(g: Record<string, string | undefined>, text: string): Civil {
  const short = Number(g.shortYear ?? "0");
  const year =
    g.year !== undefined ? Number(g.year) : g.shortYear !== undefined ? short + (short >= 69 ? 1900 : 2000) : 0;
  const named = g.name === undefined ? 0 : MONTHS.findIndex((each) => each.startsWith(g.name ?? "-")) + 1;
  const month = g.yearDay !== undefined ? 1 : named || Number(g.month ?? "1");
  const day = Number(g.yearDay ?? g.day ?? "1");
  const half = g.half?.toUpperCase();
  const hour = Number(g.hour ?? "0");
  const out: Civil = {
    year,
    month,
    day,
    hour: half === undefined ? hour : (hour % 12) + (half === "PM" ? 12 : 0),
    minute: Number(g.minute ?? "0"),
    second: Number(g.second ?? "0"),
    nano: Number((g.nano ?? "").padEnd(9, "0").slice(0, 9)),
    offset: offsetOf(g.offset ?? "Z"),
    zone: "UTC",
  };
  const monthDays = daysFromCivil(year, month + 1, 1) - daysFromCivil(year, month, 1);
  const wrong = month < 1 || month > 12 || out.hour > 23 || out.minute > 59 || out.second > 59;
  if (wrong || day < 1 || (g.yearDay === undefined && day > monthDays))
    throw bad(`parsing time ${JSON.stringify(text)}: value out of range`);
  return out;
}

function offsetOf(text: string): number {
  if (text === "Z") return 0;
  const [hours = "0", minutes = "0", seconds = "0"] = text.slice(1).replaceAll(":", "").match(/../g) ?? [];
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return text.startsWith("-") ? -total : total;
}
