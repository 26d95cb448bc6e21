import { errorText } from "../std/mod.ts";
import type { Builtins } from "./_builtin.ts";
import type { Kind } from "./_kinds.ts";
import { dayNames, formatLayout, monthNames, parseLayout } from "./_layout.ts";
import { shift, toInteger, toText } from "./_operators.ts";
import type { Run } from "./_run.ts";
import { formatMoment, formatNanoseconds, parseNanoseconds } from "./_time.ts";
import { ExprDuration, ExprEnum, ExprMoment, ExprZone } from "./values.ts";

const dateLayouts: readonly string[] = [
  "2006-01-02",
  "15:04:05",
  "2006-01-02 15:04:05",
  "2006-01-02T15:04:05Z07:00",
  "02 Jan 06 15:04 MST",
  "Monday, 02-Jan-06 15:04:05 MST",
  "Mon, 02 Jan 2006 15:04:05 MST",
];

/** Functions that make moments, durations and time zones. */
export const timeFunctions: Builtins = {
  now: { parameters: [], returns: "time", call: (run) => nowMoment(run) },
  duration: { parameters: ["string"], returns: "duration", call: duration },
  date: { parameters: ["any", "any", "any"], required: 1, returns: "time", call: date },
  timezone: { parameters: ["string"], returns: "zone", call: (run, [name]) => new ExprZone(zoneId(run, name)) },
};

function nowMoment(run: Run): ExprMoment {
  const instant = Temporal.Instant.fromEpochMilliseconds(run.now());
  return new ExprMoment(instant.toZonedDateTimeISO(Temporal.Now.timeZoneId()));
}

function duration(run: Run, [value]: readonly unknown[]): ExprDuration {
  const text = toText(run, value);
  run.spend(text.length);
  try {
    return new ExprDuration(parseNanoseconds(text));
  } catch (error) {
    throw run.error(errorText(error), { cause: error });
  }
}

function date(run: Run, [value, layout, zone]: readonly unknown[]): ExprMoment {
  const text = toText(run, value);
  const timeZone = zone === undefined ? "UTC" : zoneId(run, zone);
  const layouts = layout === undefined ? dateLayouts : [toText(run, layout)];
  for (const each of layouts) {
    run.spend(500 + each.length);
    try {
      return new ExprMoment(parseLayout(text, each, timeZone));
    } catch {
      // Another layout may fit.
    }
  }
  throw run.error(`invalid date ${text.slice(0, 80)}`);
}

function zoneId(run: Run, name: unknown): string {
  const text = toText(run, name);
  const id = text === "" ? "UTC" : text === "Local" ? Temporal.Now.timeZoneId() : text;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(id).timeZoneId;
  } catch {
    throw run.error(`unknown time zone ${text.slice(0, 80)}`);
  }
}

/** A method of a moment, a duration, a month or a weekday. */
interface Method<T> {
  readonly parameters?: readonly Kind[];
  readonly returns: Kind;
  readonly call: (self: T, given: readonly unknown[], run: Run) => unknown;
}

type Methods<T> = Readonly<Record<string, Method<T>>>;

const part = (read: (time: Temporal.ZonedDateTime) => number): Method<ExprMoment> => ({
  returns: "int",
  call: ({ time }) => BigInt(read(time)),
});
const epoch = (divisor: bigint): Method<ExprMoment> => ({
  returns: "int",
  call: ({ time }) => floorDivide(time.epochNanoseconds, divisor),
});
const inZone = (zone: () => string): Method<ExprMoment> => ({
  returns: "time",
  call: ({ time }) => new ExprMoment(time.withTimeZone(zone())),
});
const compare = (holds: (order: number) => boolean): Method<ExprMoment> => ({
  parameters: ["time"],
  returns: "bool",
  call: ({ time }, [other], run) => holds(Temporal.ZonedDateTime.compare(time, toMoment(run, other).time)),
});

const momentMethods: Methods<ExprMoment> = {
  Year: part(({ year }) => year),
  Month: {
    returns: "enum",
    call: ({ time: { month } }) => new ExprEnum("time.Month", BigInt(month), monthNames[month - 1] ?? ""),
  },
  Day: part(({ day }) => day),
  Hour: part(({ hour }) => hour),
  Minute: part(({ minute }) => minute),
  Second: part(({ second }) => second),
  Nanosecond: part((time) => time.millisecond * 1e6 + time.microsecond * 1e3 + time.nanosecond),
  Weekday: {
    returns: "enum",
    call: ({ time }) => {
      const day = time.dayOfWeek % 7;
      return new ExprEnum("time.Weekday", BigInt(day), dayNames[day] ?? "");
    },
  },
  YearDay: part(({ dayOfYear }) => dayOfYear),
  Unix: epoch(1_000_000_000n),
  UnixMilli: epoch(1_000_000n),
  UnixMicro: epoch(1_000n),
  UnixNano: epoch(1n),
  UTC: inZone(() => "UTC"),
  Local: inZone(() => Temporal.Now.timeZoneId()),
  In: {
    parameters: ["zone"],
    returns: "time",
    call: ({ time }, [zone], run) => {
      if (zone instanceof ExprZone) return new ExprMoment(time.withTimeZone(zone.name));
      throw run.error("cannot use this argument (type *time.Location) to call In");
    },
  },
  Add: { parameters: ["duration"], returns: "time", call: (self, [by], run) => shift(self, toDuration(run, by).ns) },
  Sub: {
    parameters: ["time"],
    returns: "duration",
    call: ({ time }, [other], run) =>
      new ExprDuration(time.epochNanoseconds - toMoment(run, other).time.epochNanoseconds),
  },
  AddDate: { parameters: ["int", "int", "int"], returns: "time", call: addDate },
  Truncate: {
    parameters: ["duration"],
    returns: "time",
    call: (self, [by], run) => shift(self, -remainder(self, toDuration(run, by).ns)),
  },
  Round: { parameters: ["duration"], returns: "time", call: round },
  Before: compare((order) => order < 0),
  After: compare((order) => order > 0),
  Equal: compare((order) => order === 0),
  IsZero: { returns: "bool", call: ({ time }) => time.epochNanoseconds === -sinceYearOne },
  Format: {
    parameters: ["string"],
    returns: "string",
    call: ({ time }, [layout], run) => {
      const text = toText(run, layout);
      run.spend(text.length * 8);
      return run.text(formatLayout(time, text));
    },
  },
  String: { returns: "string", call: ({ time }) => formatMoment(time) },
};

const length = (ns: number): Method<ExprDuration> => ({ returns: "float", call: (self) => Number(self.ns) / ns });
const units = (ns: bigint): Method<ExprDuration> => ({ returns: "int", call: (self) => self.ns / ns });

const durationMethods: Methods<ExprDuration> = {
  Hours: length(3.6e12),
  Minutes: length(6e10),
  Seconds: length(1e9),
  Milliseconds: units(1_000_000n),
  Microseconds: units(1_000n),
  Nanoseconds: units(1n),
  Abs: { returns: "duration", call: ({ ns }) => new ExprDuration(ns < 0n ? -ns : ns) },
  Truncate: {
    parameters: ["duration"],
    returns: "duration",
    call: ({ ns }, [by], run) => {
      const step = toDuration(run, by).ns;
      return new ExprDuration(step <= 0n ? ns : ns - (ns % step));
    },
  },
  Round: { parameters: ["duration"], returns: "duration", call: roundDuration },
  String: { returns: "string", call: ({ ns }) => formatNanoseconds(ns) },
};

const enumMethods: Methods<ExprEnum> = { String: { returns: "string", call: ({ text }) => text } };

/** A method of the kinds that have some; undefined for another name. */
export function methodOf(kind: Kind, name: string): { parameters: readonly Kind[]; returns: Kind } | undefined {
  const methods = kind === "time" ? momentMethods : kind === "duration" ? durationMethods : enumMethods;
  if (!(kind === "time" || kind === "duration" || kind === "enum") || !Object.hasOwn(methods, name)) return undefined;
  const { parameters = [], returns = "any" } = methods[name] ?? {};
  return { parameters, returns };
}

/** Call a method of a value; undefined when it has none of that name. */
export function callMethod(run: Run, self: unknown, name: string, given: readonly unknown[]): unknown {
  if (self instanceof ExprMoment) return callIn(momentMethods, self, { name, given, run });
  if (self instanceof ExprDuration) return callIn(durationMethods, self, { name, given, run });
  return self instanceof ExprEnum ? callIn(enumMethods, self, { name, given, run }) : undefined;
}

function callIn<T>(methods: Methods<T>, self: T, call: { name: string; given: readonly unknown[]; run: Run }): unknown {
  const { name, given, run } = call;
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) return undefined;
  if (given.length < (method.parameters ?? []).length) throw run.error(`not enough arguments to call ${name}`);
  return method.call(self, given, run);
}

function toMoment(run: Run, value: unknown): ExprMoment {
  if (value instanceof ExprMoment) return value;
  throw run.error("cannot use this argument, a time.Time is needed");
}

function toDuration(run: Run, value: unknown): ExprDuration {
  if (value instanceof ExprDuration) return value;
  throw run.error("cannot use this argument, a time.Duration is needed");
}

function addDate({ time }: ExprMoment, given: readonly unknown[], run: Run): ExprMoment {
  const [years = 0, months = 0, days = 0] = given.map((value) => Number(toInteger(run, value)));
  // Days that a month does not have run over into the next one.
  const first = time.with({ day: 1 }).add({ years, months });
  return new ExprMoment(first.add({ days: time.day - 1 + days }));
}

/** Nanoseconds from the first day of year 1, from which times are rounded, to the epoch. */
const sinceYearOne = 62_135_596_800_000_000_000n;

function remainder({ time }: ExprMoment, step: bigint): bigint {
  if (step <= 0n) return 0n;
  const rest = (time.epochNanoseconds + sinceYearOne) % step;
  return rest < 0n ? rest + step : rest;
}

function round(self: ExprMoment, [by]: readonly unknown[], run: Run): ExprMoment {
  const step = toDuration(run, by).ns;
  const rest = remainder(self, step);
  return shift(self, rest * 2n < step || step <= 0n ? -rest : step - rest);
}

function roundDuration({ ns }: ExprDuration, [by]: readonly unknown[], run: Run): ExprDuration {
  const step = toDuration(run, by).ns;
  if (step <= 0n) return new ExprDuration(ns);
  const [size, sign] = ns < 0n ? [-ns, -1n] : [ns, 1n];
  const rest = size % step;
  return new ExprDuration(sign * (rest * 2n < step ? size - rest : size - rest + step));
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const whole = value / divisor;
  return value % divisor < 0n ? whole - 1n : whole;
}
