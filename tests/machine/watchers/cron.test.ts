import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CronSchedule } from "../../../lib/machine/watchers/_cron.ts";
import vectors from "../../fixtures/machines/cron.json";

const zone = process.env.TZ;

function useZone(name: string): void {
  beforeEach(() => {
    process.env.TZ = name;
  });
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
}

const cases: { spec: string; error?: string; next_utc?: Readonly<Record<string, readonly string[] | undefined>> }[] =
  vectors.cases;

/** The next times after a moment, as the vectors write them. */
function timesAfter(spec: string, from: string, count: number): string[] {
  const schedule = new CronSchedule(spec);
  const times: string[] = [];
  for (let at: number | undefined = Date.parse(from); times.length < count; ) {
    at = schedule.next(at);
    if (at === undefined) return [...times, "never"];
    times.push(`${new Date(at).toISOString().slice(0, 19)}Z`);
  }
  return times;
}

describe("times of schedules", () => {
  useZone("UTC");

  test.each(cases.filter(({ error }) => error === undefined).map(({ spec, next_utc: next }) => [spec, next] as const))(
    "%p comes when the original has it come",
    (spec, next = {}) => {
      for (const [from, times = []] of Object.entries(next)) expect(timesAfter(spec, from, 4)).toEqual([...times]);
    },
  );

  test.each(cases.filter(({ error }) => error !== undefined).map(({ spec, error = "" }) => [spec, error] as const))(
    "%p is refused: %s",
    (spec, error) => {
      expect(() => new CronSchedule(spec)).toThrow(error);
    },
  );

  test("the last time up to a moment is the moment itself where it is one", () => {
    const schedule = new CronSchedule("30 4 * * *");
    const at = Date.parse("2026-01-02T04:30:00Z");
    expect(schedule.previous(at)).toBe(at);
    expect(schedule.previous(at - 1)).toBe(at - 86_400_000);
    expect(new CronSchedule(", * * * *").previous(at)).toBeUndefined();
  });

  test("any text is a schedule or refused with a reason", () => {
    const part = fc.string({ unit: fc.constantFrom(..."0123456789*?/-,+ajnsuLW#@".split("")), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 5, maxLength: 5 }), (parts) => {
        try {
          const next = new CronSchedule(parts.join(" ")).next(Date.UTC(2026, 0, 1));
          expect(next === undefined || next > Date.UTC(2026, 0, 1)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });
});

describe("in a zone with summer time", () => {
  useZone("Europe/Berlin");

  test("what falls into the hour that is left out comes at its end, once", () => {
    expect(timesAfter("30 2 * * *", "2026-03-28T12:00:00Z", 2)).toEqual([
      "2026-03-29T01:00:00Z",
      "2026-03-30T00:30:00Z",
    ]);
  });

  test("a daily time comes once in the hour that comes twice", () => {
    expect(timesAfter("30 2 * * *", "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30:00Z",
      "2026-10-26T01:30:00Z",
    ]);
  });

  test("half hours go on through both changes", () => {
    const minutes = (spec: string, from: string) =>
      timesAfter(spec, from, 6).map((time) => (Date.parse(time) - Date.parse(from)) / 60_000);
    expect(minutes("*/30 * * * *", "2026-03-29T00:00:00Z")).toEqual([30, 60, 90, 120, 150, 180]);
    expect(minutes("*/30 * * * *", "2026-10-24T23:30:00Z")).toEqual([30, 60, 90, 120, 150, 180]);
  });
});
