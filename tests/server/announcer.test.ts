import { expect, test } from "bun:test";
import { decodeEvent, type LifecycleEvent } from "../../lib/lifecycle/mod.ts";
import { newHostStats } from "../../lib/rpc/mod.ts";
import { Announcer, type AnnouncerOptions } from "../../lib/server/mod.ts";
import { silentLogger, version } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";

const minute = 60_000;

function announcerOf(changes: Partial<AnnouncerOptions> = {}) {
  const events: LifecycleEvent[] = [];
  const clock = new FakeClock();
  const stats = newHostStats();
  const announcer = new Announcer({
    connection: { publish: (_subject, data) => void events.push(decodeEvent(data)) },
    identity: "n1",
    component: "server",
    format: "cloudevent",
    stats,
    clock,
    logger: silentLogger,
    ...changes,
  });
  return { announcer, events, clock, stats };
}

test("the first sign of life comes after up to 29 whole minutes, the next every half hour", async () => {
  for (const [random, wait] of [
    [0, 0],
    [0.5, 15],
    [0.999, 29],
  ] as const) {
    const { announcer, events, clock } = announcerOf({ random: () => random });
    using _timer = announcer.keepAlive();
    if (wait > 0) {
      await clock.advance(wait * minute - 1);
      expect(events).toHaveLength(0);
    }
    await clock.advance(1);
    expect(events).toHaveLength(1);
    await clock.advance(60 * minute);
    expect(events).toHaveLength(3);
  }
});

test("each sign of life has an id and a time of its own", async () => {
  const { announcer, events, clock } = announcerOf({ random: () => 0 });
  using _timer = announcer.keepAlive();
  await clock.advance(30 * minute);
  const [first, second] = events;
  expect(first).toMatchObject({ type: "alive", identity: "n1", component: "server", version });
  expect(first?.id).not.toBe(second?.id ?? "");
  expect((second?.timestamp ?? 0) - (first?.timestamp ?? 0)).toBe(30 * 60);
});

test("signs of life end with their handle, before and after the first", async () => {
  for (const random of [0, 0.5]) {
    const { announcer, events, clock } = announcerOf({ random: () => random });
    const timer = announcer.keepAlive();
    await clock.advance(1);
    const before = events.length;
    timer[Symbol.dispose]();
    await clock.advance(120 * minute);
    expect(events).toHaveLength(before);
    expect(clock.pending).toBe(0);
  }
});

test("published events are counted, and one that cannot be published is logged", () => {
  const { announcer, stats } = announcerOf();
  announcer.publish("startup");
  announcer.publish("shutdown");
  expect(stats.events).toBe(2);
  const lines: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void lines.push(message) };
  const broken = announcerOf({ component: "", logger });
  broken.announcer.publish("startup");
  expect(broken.stats.events).toBe(0);
  expect(lines).toEqual(["A lifecycle event could not be published"]);
});
