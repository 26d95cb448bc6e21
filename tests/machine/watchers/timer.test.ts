import { expect, test } from "bun:test";
import { TestMachine } from "../../support/machine.ts";

const ns = 1_000_000_000;

test("a timer runs down from the start of the machine, then fires the fail transition", async () => {
  using machine = new TestMachine({
    definition: { type: "timer", failTransition: "over", properties: { timer: "3s" } },
  });
  await machine.start();
  expect(machine.announced).toEqual([{ state: "running", timer: 3 * ns }]);
  await machine.clock.advance(2_999);
  expect(machine.events).toEqual([]);
  await machine.clock.advance(1);
  expect(machine.last).toEqual({ state: "stopped", timer: 3 * ns });
  expect(machine.events).toEqual(["over"]);
  await machine.clock.advance(60_000);
  expect(machine.announced).toHaveLength(2);
});

test("a timer starts anew with each state of its own, and stops early in any other", async () => {
  using machine = new TestMachine({
    state: "OTHER",
    definition: { type: "timer", stateMatch: ["ONE", "TWO"], failTransition: "over", properties: { timer: "3s" } },
  });
  const watcher = await machine.start();
  expect(machine.announced).toEqual([]);
  machine.enter("ONE");
  await machine.clock.advance(2_000);
  machine.enter("TWO");
  await machine.clock.advance(2_000);
  expect(machine.announced.map(({ state }) => state)).toEqual(["running", "running"]);
  machine.enter("OTHER");
  expect(machine.announced.map(({ state }) => state)).toEqual(["running", "running", "stopped"]);
  machine.enter("ELSEWHERE");
  await machine.clock.advance(60_000);
  expect(machine.announced).toHaveLength(3);
  expect(machine.events).toEqual([]);
  expect(watcher.snapshot().text).toBe("timer m#w state: stopped with 3s timer");
});

test("a stopped machine's timer says nothing more", async () => {
  const machine = new TestMachine({ definition: { type: "timer", properties: { timer: "3s" } } });
  await machine.start();
  machine.stop();
  await machine.clock.advance(60_000);
  expect(machine.announced).toHaveLength(1);
  expect(machine.clock.pending).toBe(0);
});

test("short timers take a second, and a splay takes a part", async () => {
  const timerOf = async (properties: Record<string, unknown>) => {
    using machine = new TestMachine({ definition: { type: "timer", properties }, random: () => 0.25 });
    await machine.start();
    return machine.last?.timer;
  };
  expect(await timerOf({ timer: "10ms" })).toBe(ns);
  expect(await timerOf({})).toBe(ns);
  expect(await timerOf({ timer: "2m", splay: "true" })).toBe(30 * ns);
  expect(await timerOf({ Timer: 5 * ns })).toBe(5 * ns);
});

test("a timer has no success", async () => {
  const machine = new TestMachine({
    definition: { type: "timer", successTransition: "x", properties: { timer: "3s" } },
  });
  await expect(machine.start()).rejects.toThrow("timer watcher does not support success events");
  const other = new TestMachine({ definition: { type: "timer", properties: { timer: "3 weeks" } } });
  await expect(other.start()).rejects.toThrow(/^could not set properties: timer: .*3 weeks/);
});
