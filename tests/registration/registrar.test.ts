import { describe, expect, test } from "bun:test";
import { type RegistrarOptions, type RegistrationProvider, startRegistration } from "../../lib/registration/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { RecordingLogger } from "../support/log.ts";

interface Published {
  name: string;
  /** Seconds since the start. */
  at: number;
}

/** A registrar on a clock of its own, with providers whose data has the sizes that `size` says. */
function registrar(names: string[], changes: Partial<RegistrarOptions> = {}, size: () => number = () => 10) {
  const clock = new FakeClock(0);
  const logger = new RecordingLogger();
  const published: Published[] = [];
  const providers = names.map((name): RegistrationProvider => {
    return { name, target: name, read: () => new Uint8Array(size()) };
  });
  const state = { isUp: true };
  const handle = startRegistration({
    providers,
    publish(_data, target) {
      if (state.isUp) published.push({ name: target, at: Math.round(clock.now() / 1_000) });
      return state.isUp;
    },
    interval: 60,
    splay: false,
    sizeTrigger: 0,
    sizeInterval: 5,
    clock,
    logger,
    random: () => 0,
    ...changes,
  });
  const advance = async (seconds: number) => {
    for (let i = 0; i < seconds * 4; i++) {
      await clock.advance(250);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  };
  return { clock, logger, published, state, handle, advance };
}

const times = (published: Published[]) => published.map(({ at }) => at);

describe("a node registers", () => {
  test("one to four seconds after its start, then each interval", async () => {
    const { published, advance, handle } = registrar(["a"]);
    await advance(130);
    expect(times(published)).toEqual([1, 61, 121]);
    handle[Symbol.dispose]();
    await advance(200);
    expect(published).toHaveLength(3);
  });

  test("after a random part of the interval where it is to be spread", async () => {
    const { published, advance } = registrar(["a"], { splay: true, random: () => 0.5 });
    await advance(30);
    expect(published).toEqual([]);
    await advance(5);
    expect(published).toHaveLength(1);
  });

  test("with each of its providers at each interval", async () => {
    const { published, advance } = registrar(["a", "b"]);
    await advance(70);
    expect(published.map(({ name }) => name).sort()).toEqual(["a", "a", "b", "b"]);
  });

  test("before its time when the size changes by as much as is configured, and not when by less", async () => {
    let size = 100;
    const { published, advance } = registrar(["a"], { sizeTrigger: 50 }, () => size);
    await advance(8);
    expect(times(published)).toEqual([1]);
    size = 149;
    await advance(10);
    expect(published).toHaveLength(1);
    size = 150;
    await advance(5);
    expect(published).toHaveLength(2);
    size = 99;
    await advance(5);
    expect(published).toHaveLength(3);
    await advance(61);
    expect(published).toHaveLength(4);
  });

  test("soon after the broker is back where there was none", async () => {
    const { published, advance, state } = registrar(["a"]);
    state.isUp = false;
    await advance(3);
    state.isUp = true;
    await advance(5);
    expect(published).toHaveLength(1);
  });

  test("again at the next interval after a failure, which is logged", async () => {
    let isBroken = true;
    const { published, advance, logger } = registrar(["a"], {}, () => {
      if (isBroken) throw new Error("could not find data file x");
      return 1;
    });
    await advance(10);
    expect(logger.lines[0]?.fields).toMatchObject({ provider: "a", reason: "could not find data file x" });
    isBroken = false;
    await advance(60);
    expect(times(published)).toEqual([61]);
  });
});
