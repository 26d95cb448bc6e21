import { describe, expect, test } from "bun:test";
import { Channel } from "../../lib/std/mod.ts";

describe("a channel", () => {
  test("hands out what was pushed before and while it is read, in order", async () => {
    const channel = new Channel<number>();
    for (let i = 0; i < 3_000; i++) channel.push(i);
    const read = Array.fromAsync(channel);
    await Promise.resolve();
    for (let i = 3_000; i < 5_000; i++) channel.push(i);
    channel.end();
    channel.push(-1);
    expect(await read).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
  });

  test("throws its error after what it holds, once", async () => {
    const channel = new Channel<string>();
    channel.push("a");
    channel.fail(new Error("broken"));
    channel.fail(new Error("later"));
    expect(await channel.next()).toEqual({ done: false, value: "a" });
    await expect(channel.next()).rejects.toThrow("broken");
    expect((await channel.next()).done).toBe(true);
  });

  test("that has ended takes no error any more", async () => {
    const channel = new Channel<string>();
    channel.end();
    channel.fail(new Error("late"));
    expect(await Array.fromAsync(channel)).toEqual([]);
  });

  test("drops what it holds when its reader goes away", async () => {
    const channel = new Channel<number>();
    channel.push(1);
    channel.push(2);
    for await (const value of channel) {
      expect(value).toBe(1);
      break;
    }
    channel.push(3);
    expect(await Array.fromAsync(channel)).toEqual([]);
  });

  test("wakes a reader that waits", async () => {
    const channel = new Channel<number>();
    const next = channel.next();
    channel.push(7);
    expect(await next).toEqual({ done: false, value: 7 });
    const last = channel.next();
    channel.end();
    expect((await last).done).toBe(true);
  });
});
