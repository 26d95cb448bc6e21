import { expect, test } from "bun:test";
import { Semaphore } from "../../lib/std/mod.ts";

test("a semaphore lets so many in at a time, the others in their order", async () => {
  const places = new Semaphore(2);
  const [started, doors]: [number[], PromiseWithResolvers<void>[]] = [[], []];
  const done = [0, 1, 2, 3].map((index) => {
    const door = Promise.withResolvers<void>();
    doors.push(door);
    return places.run(async () => {
      started.push(index);
      await door.promise;
    });
  });
  await Promise.resolve();
  expect([started, places.held]).toEqual([[0, 1], 2]);
  doors[1]?.resolve();
  await done[1];
  expect(started).toEqual([0, 1, 2]);
  for (const door of doors) door.resolve();
  await Promise.all(done);
  expect([started, places.held]).toEqual([[0, 1, 2, 3], 0]);
});

test("a place is free again when the work fails", async () => {
  const places = new Semaphore(0);
  const failure = places.run(() => Promise.reject(new Error("no")));
  expect(failure).rejects.toThrow("no");
  await failure.catch(() => undefined);
  expect(await places.run(async () => places.held)).toBe(1);
});
