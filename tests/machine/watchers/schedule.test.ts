import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CronSchedule } from "../../../lib/machine/watchers/_cron.ts";
import { Windows } from "../../../lib/machine/watchers/_windows.ts";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { FakeClock } from "../../support/clock.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";

const zone = process.env.TZ;
const minute = 60_000;
const hour = 60 * minute;

beforeAll(() => {
  process.env.TZ = "UTC";
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

function scheduleMachine(properties: JsonObject, options: Partial<TestMachineOptions> = {}): TestMachine {
  return new TestMachine({
    clock: new FakeClock(Date.UTC(2026, 0, 1, 9, 59, 30)),
    random: () => 0,
    ...options,
    definition: {
      successTransition: "begin",
      failTransition: "end",
      stateMatch: ["RUN"],
      ...options.definition,
      type: "schedule",
      properties,
    },
  });
}

describe("a schedule watcher", () => {
  test("is on for its duration from each of its times", async () => {
    using machine = scheduleMachine({ schedules: ["0 10 * * *"], duration: "1h" });
    const watcher = await machine.start();
    await machine.clock.advance(29_000);
    expect(watcher.snapshot().fields).toEqual({ state: "unknown" });
    await machine.clock.advance(1_500);
    expect(machine.announced).toEqual([{ state: "on" }]);
    expect(machine.events).toEqual(["begin"]);
    await machine.clock.advance(hour - 2_000);
    expect(machine.events).toEqual(["begin"]);
    await machine.clock.advance(2_000);
    expect(machine.announced).toEqual([{ state: "on" }, { state: "off" }]);
    expect(machine.events).toEqual(["begin", "end"]);
    expect(watcher.snapshot().text).toBe("m#w schedule state: off");
    await machine.clock.advance(23 * hour);
    expect(machine.events).toEqual(["begin", "end", "begin"]);
  });

  test("waits for a next time where it starts in the middle of a window", async () => {
    using machine = scheduleMachine({ schedules: "0 9 * * *", duration: "2h" });
    await machine.start();
    await machine.clock.advance(10 * minute);
    expect(machine.announced).toEqual([]);
  });

  test("stays on where windows touch or overlap", async () => {
    using machine = scheduleMachine({ schedules: ["* * * * *", "*/2 * * * *"], duration: "1m" });
    await machine.start();
    await machine.clock.advance(hour);
    expect(machine.events).toEqual(["begin"]);
  });

  test("fires for where it is when its machine comes back", async () => {
    using machine = scheduleMachine({ schedules: ["0 10 * * *"], duration: "1h" });
    await machine.start();
    machine.enter("AWAY");
    await machine.clock.advance(1_000);
    machine.enter("RUN");
    await machine.clock.advance(1_000);
    expect(machine.announced).toEqual([{ state: "unknown" }]);
    expect(machine.events).toEqual(["end"]);
    await machine.clock.advance(minute);
    machine.enter("AWAY");
    await machine.clock.advance(minute);
    machine.enter("RUN");
    await machine.clock.advance(minute);
    expect(machine.events).toEqual(["end", "begin", "begin"]);
    machine.enter("AWAY");
    await machine.clock.advance(2 * hour);
    expect(machine.events).toHaveLength(3);
    machine.enter("RUN");
    await machine.clock.advance(minute);
    expect(machine.events.at(-1)).toBe("end");
    expect(machine.last).toEqual({ state: "off" });
  });

  test("fires once in a window where it is told to", async () => {
    using machine = scheduleMachine({ schedules: ["0 10 * * *"], duration: "1h", skip_trigger_on_reenter: true });
    await machine.start();
    await machine.clock.advance(minute);
    machine.enter("AWAY");
    await machine.clock.advance(minute);
    machine.enter("RUN");
    await machine.clock.advance(minute);
    expect(machine.announced).toEqual([{ state: "on" }, { state: "on" }]);
    expect(machine.events).toEqual(["begin"]);
    await machine.clock.advance(24 * hour);
    expect(machine.events).toEqual(["begin", "end", "begin"]);
  });

  test("begins late by a part of its splay, and ends in time", async () => {
    const properties = { schedules: ["0 10 * * *"], duration: "10m", start_splay: "4m" };
    using machine = scheduleMachine(properties, { random: () => 0.5 });
    await machine.start();
    await machine.clock.advance(30_000 + 2 * minute - 500);
    expect(machine.events).toEqual([]);
    await machine.clock.advance(1_000);
    expect(machine.events).toEqual(["begin"]);
    await machine.clock.advance(8 * minute - 1_000);
    expect(machine.events).toEqual(["begin"]);
    await machine.clock.advance(1_000);
    expect(machine.events).toEqual(["begin", "end"]);
  });

  test.each([
    [{}, "no schedules defined"],
    [{ schedules: ["60 * * * *"] }, "could not parse '60 * * * *': End of range (60) above maximum (59): 60"],
    [{ schedules: ["* * * * *"], start_splay: "1m" }, "start splay 1m0s is bigger than half the duration 1m0s"],
    [{ schedules: ["* * * * *"], duration: "x" }, "duration: "],
  ])("refuses %p", async (properties, error) => {
    await expect(scheduleMachine(properties).load()).rejects.toThrow(`could not set properties: ${error}`);
  });
});

describe("windows", () => {
  const start = Date.UTC(2026, 0, 1, 9, 59, 30);
  const windowsOf = (spec: string, duration: number, splay = 0) =>
    new Windows({ schedules: [new CronSchedule(spec)], duration, splay, random: () => 0 }, start);

  test("that are open still when a host awakes are not missed, and those that have closed stay closed", () => {
    const windows = windowsOf("0 10 * * *", hour);
    expect(windows.isOpen(start)).toBe(false);
    expect(windows.isOpen(start + 30 * minute)).toBe(true);
    expect(windows.isOpen(start + 24 * hour)).toBe(false);
    expect(windows.isOpen(start + 24 * hour + 30 * minute)).toBe(true);
    expect(windows.isOpen(start + 26 * hour)).toBe(false);
  });

  test("no minute is missed, however late and unevenly somebody looks", () => {
    const windows = windowsOf("* * * * *", minute);
    let now = start + 30_000;
    for (const wait of [0, 1, 499, 59_000, 61_000, 3_600_000, 7, 90 * 24 * hour]) {
      now += wait;
      expect(windows.isOpen(now)).toBe(true);
    }
  });

  test("a long sleep costs no time", () => {
    const windows = windowsOf("* * * * *", 400 * 24 * hour);
    const started = performance.now();
    expect(windows.isOpen(start + 390 * 24 * hour)).toBe(true);
    expect(performance.now() - started).toBeLessThan(500);
  });

  test("a clock that is set back has its times again", () => {
    const windows = windowsOf("0 10 * * *", hour);
    expect(windows.isOpen(start + 30 * minute)).toBe(true);
    expect(windows.isOpen(start - 5 * hour)).toBe(false);
    expect(windows.isOpen(start + 30 * minute)).toBe(true);
  });
});
