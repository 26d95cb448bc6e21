import { describe, expect, test } from "bun:test";
import { TransitionLimiter } from "../../lib/machine/limiter.ts";
import { neverStarted } from "../../lib/machine/mod.ts";
import { settled, TestMachines } from "../support/machines.ts";

const light = (name = "light", more = "") => `name: ${name}
version: 1.0.0
initial_state: RED
transitions:
  - {name: go, from: [RED], destination: GREEN}
  - {name: stop, from: [GREEN], destination: RED}
  - {name: stay, from: [GREEN], destination: GREEN}
watchers:
  - {name: one, type: puppet, state_match: [RED], success_transition: go, fail_transition: stop}
  - {name: two, type: puppet}
${more}`;

describe("a machine", () => {
  test("begins in its initial state and starts its watchers", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    expect(machine.state).toBe("RED");
    expect(machines.puppet("light#one").told).toEqual(["start"]);
    expect(machine.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(machine.snapshot()).toMatchObject({ startTime: machines.clock.now() / 1_000, availableTransitions: ["go"] });
  });

  test("changes its state, tells its watchers and publishes", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    const { context } = machines.puppet("light#one");
    expect(context.isActive()).toBeTrue();
    await context.succeed();
    await settled();
    expect(machine.state).toBe("GREEN");
    expect(context.isActive()).toBeFalse();
    expect(machines.puppet("light#two").told).toEqual(["start", "state GREEN"]);
    expect(machines.transitions).toEqual(["light RED go GREEN"]);
    expect(machines.logger.messages).toContain("light transitioned via event go: from RED into GREEN");
  });

  test("logs and ignores what its state does not allow", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    await machine.fire("stop");
    await machine.fire("");
    expect(machine.state).toBe("RED");
    expect(machines.events).toEqual([]);
    expect(machines.logger.messages).toEqual(["Could not fire 'stop' event while in RED"]);
  });

  test("neither publishes nor tells of a transition into the state that it is in, but counts it", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    await machine.fire("go");
    await settled();
    const staying = machine.fire("stay");
    await settled();
    expect(machines.clock.pending).toBe(1);
    await machines.clock.advance(100);
    await staying;
    expect(machines.transitions).toEqual(["light RED go GREEN"]);
    expect(machines.puppet("light#two").told).toEqual(["start", "state GREEN"]);
  });

  test("tells a watcher once of changes that come together", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    machine.fireNow("go");
    machine.fireNow("stop");
    await settled();
    expect(machines.puppet("light#two").told).toEqual(["start", "state RED"]);
    expect(machines.transitions).toEqual(["light RED go GREEN", "light GREEN stop RED"]);
  });

  test("slows down transitions that follow each other, without holding up anything else", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    await machine.fire("go");
    const slow = Promise.all([machine.fire("stop"), machine.fire("go")]);
    await settled();
    expect(machine.state).toBe("GREEN");
    expect(machine.snapshot().state).toBe("GREEN");
    await machines.clock.advance(25, settled);
    expect(machine.state).toBe("RED");
    await machines.clock.advance(50, settled);
    await slow;
    expect(machine.state).toBe("GREEN");
  });

  test("does at once what an operator asks for", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    await machine.fire("go");
    const waiting = machine.fire("stop");
    await settled();
    machines.group.transition({ name: "light" }, "stop");
    expect(machine.state).toBe("RED");
    await machines.clock.advance(1_000, settled);
    await waiting;
    expect(machines.logger.messages.at(-1)).toBe("Could not fire 'stop' event while in RED");
  });

  test("lets only so many transitions wait", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    for (let count = 0; count < 1_000; count++) void machine.fire("go");
    await settled();
    const dropped = machines.logger.messages.filter((message) => message.startsWith("Too many transitions wait"));
    expect(dropped).toHaveLength(900);
  });

  test("publishes what watchers announce, and again at their announce interval whatever the state", async () => {
    using machines = new TestMachines();
    await machines.add(light("light", "  - {name: three, type: puppet, state_match: [GREEN], announce_interval: 1m}"));
    machines.puppet("light#one").fields = { a: 1 };
    machines.puppet("light#one").context.announce();
    expect(machines.events.map((event) => event.kind === "watcher" && [event.name, event.fields])).toEqual([
      ["one", { a: 1 }],
    ]);
    await machines.clock.advance(59_999);
    expect(machines.events).toHaveLength(1);
    await machines.clock.advance(60_001);
    expect(machines.events.slice(1).map((event) => event.kind === "watcher" && event.name)).toEqual(["three", "three"]);
  });

  test("waits out its splay", async () => {
    using machines = new TestMachines({ random: () => 0.99 });
    const adding = machines.add(`${light()}splay_start: 10`);
    while (machines.clock.pending === 0) await settled();
    await machines.clock.advance(8_999, settled);
    expect(machines.group.states()[0]?.startTime).toBe(neverStarted);
    await machines.clock.advance(1, settled);
    await adding;
    expect(machines.group.states()[0]?.startTime).toBe(machines.clock.now() / 1_000);
  });

  test("leaves no timer behind when it stops, and does nothing more", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light("light", "  - {name: three, type: puppet, announce_interval: 1m}"));
    await machine.fire("go");
    const waiting = machine.fire("stop");
    await settled();
    expect(machines.clock.pending).toBe(2);
    machine.stop();
    await waiting;
    await machine.fire("stop");
    machines.puppet("light#one").context.announce();
    expect(machines.clock.pending).toBe(0);
    expect(machine.state).toBe("GREEN");
    expect(machines.events).toHaveLength(1);
  });

  test("goes on when a watcher throws at everything", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    machines.puppet("light#one").fault = new Error("broken");
    machines.puppet("light#one").context.announce();
    await machine.fire("go");
    await settled();
    expect(machines.puppet("light#two").told).toEqual(["start", "state GREEN"]);
    expect(machines.logger.lines.filter(({ fields }) => fields.reason === "broken")).toHaveLength(2);
    machines.puppet("light#two").fault = new Error("broken");
    await machine.delete();
    expect(machines.puppet("light#two").told.at(-1)).toBe("deleted");
  });
});

test("a machine does not wait for ever for a watcher that never has cleaned up", async () => {
  using machines = new TestMachines();
  const machine = await machines.add(light());
  machines.puppet("light#one").deleted = () => new Promise(() => undefined);
  const deleting = machine.delete();
  await machines.clock.advance(5_000, settled);
  await deleting;
  expect(machines.puppet("light#two").told.at(-1)).toBe("deleted");
});

describe("a machine that cannot start", () => {
  const faults: [watcher: string, message: string][] = [
    ["{name: run, type: exec}", "could not create exec watcher 'run': could not set properties: command is required"],
    ["{name: run, type: bogus}", "unknown watcher 'bogus'"],
    ["{name: run, type: __proto__}", "unknown watcher '__proto__'"],
    [
      "{name: run, type: exec, interval: 10, properties: {command: x}}",
      "could not create exec watcher 'run': invalid time unit 0",
    ],
  ];
  for (const [watcher, message] of faults) {
    test(`says: ${message}`, async () => {
      const { watcherKind } = await import("../../lib/machine/mod.ts");
      using machines = new TestMachines({ kinds: watcherKind });
      const manifest = light().replace(/watchers:[\s\S]*/, `watchers: [${watcher}]`);
      await expect(machines.add(manifest)).rejects.toThrow(message);
      const [machine] = machines.group.machines;
      expect(machine?.isStarted).toBeFalse();
      expect(machine?.snapshot().startTime).toBe(-62_135_596_800);
      // The next try says the same, and not that watchers exist already.
      expect(machine?.start()).rejects.toThrow(message);
    });
  }

  test("says that a watcher is there twice", async () => {
    using machines = new TestMachines();
    expect(machines.add(`${light()}  - {name: one, type: puppet}`)).rejects.toThrow("watcher one already exist");
  });
});

describe("machines of one node", () => {
  const follower = (name = "follower", leader = "light") => `name: ${name}
version: 1.0.0
initial_state: WAIT
transitions:
  - {name: move, from: [WAIT], destination: MOVE, subscribe: [{machine_name: ${leader}, event: go}]}
  - {name: halt, from: [MOVE], destination: WAIT, subscribe: [{machine_name: ${leader}, event: stop}]}
watchers:
  - {name: one, type: puppet, foreign_state_required: [{machine_name: ${leader}, state: GREEN}]}
`;

  test("hear of each other's transitions before the network does", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    const other = await machines.add(follower());
    await machine.fire("go");
    await settled();
    expect(other.state).toBe("MOVE");
    await machines.clock.advance(60_000);
    await machine.fire("stop");
    await settled();
    expect(machines.transitions).toEqual([
      "light RED go GREEN",
      "follower WAIT move MOVE",
      "light GREEN stop RED",
      "follower MOVE halt WAIT",
    ]);
  });

  test("look at each other's states", async () => {
    using machines = new TestMachines();
    await machines.add(follower());
    const { context } = machines.puppet("follower#one");
    expect(context.isActive()).toBeFalse();
    const machine = await machines.add(light());
    expect(context.isActive()).toBeFalse();
    await machine.fire("go");
    expect(context.isActive()).toBeTrue();
  });

  test("that chase each other in a circle are slowed down to a walk", async () => {
    using machines = new TestMachines();
    const chaser = (name: string, hearsB: string, hearsA: string) => `name: ${name}
version: 1.0.0
initial_state: A
transitions:
  - {name: to_b, from: [A], destination: B, subscribe: [${hearsB}]}
  - {name: to_a, from: [B], destination: A, subscribe: [${hearsA}]}
watchers: [{name: one, type: puppet}]
`;
    const of = (machine: string, event: string) => `{machine_name: ${machine}, event: ${event}}`;
    const first = await machines.add(chaser("first", of("second", "to_a"), of("second", "to_b")));
    await machines.add(chaser("second", of("first", "to_b"), of("first", "to_a")));
    await first.fire("to_b");
    await machines.clock.advance(10 * 60_000, settled);
    expect(machines.transitions.length).toBeGreaterThan(50);
    expect(machines.transitions.length).toBeLessThan(400);
  });

  test("are found by all that is asked for, and by nothing when nothing is", async () => {
    using machines = new TestMachines();
    const machine = await machines.add(light());
    await machines.add(follower());
    const names = (criteria: object) => machines.group.find(criteria).map(({ name }) => name);
    expect(machines.group.states().map(({ name }) => name)).toEqual(["follower", "light"]);
    expect(names({ version: "1.0.0" })).toEqual(["follower", "light"]);
    expect(names({ version: "1.0.0", name: "light", path: "" })).toEqual(["light"]);
    expect(names({ id: machine.id })).toEqual(["light"]);
    expect(names({ id: machine.id, name: "follower" })).toEqual([]);
    expect(names({})).toEqual([]);
    const fire = (criteria: object, event: string) => () => machines.group.transition(criteria, event);
    expect(fire({ name: "nope" }, "go")).toThrow(
      "could not find machine matching criteria name='nope', version='', path='', id=''",
    );
    expect(fire({}, "go")).toThrow("could not find machine matching criteria name='', version='', path='', id=''");
    expect(fire({ name: "light" }, "stop")).toThrow("transition stop is not valid while in RED state");
  });
});

test("a machine of ten thousand watchers starts, changes and stops quickly", async () => {
  using machines = new TestMachines();
  const watchers = Array.from({ length: 10_000 }, (_, at) => `  - {name: w${at}, type: puppet, announce_interval: 1h}`);
  const started = performance.now();
  const machine = await machines.add(light("light", watchers.join("\n")));
  await machine.fire("go");
  await settled();
  expect(machines.puppet("light#w9999").told).toEqual(["start", "state GREEN"]);
  await machines.clock.advance(3_600_000);
  expect(machines.events).toHaveLength(10_001);
  machine.stop();
  expect(performance.now() - started).toBeLessThan(5_000);
});

describe("TransitionLimiter", () => {
  test("waits longer and longer, half to one and a half of each step", () => {
    const steps = (random: number) => {
      const limiter = new TransitionLimiter(
        () => 0,
        () => random,
      );
      return Array.from({ length: 22 }, () => limiter.next());
    };
    expect(steps(0.5)).toEqual([
      0, 25, 50, 75, 100, 125, 150, 200, 250, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000, 5000,
      5000,
    ]);
    expect(steps(0).slice(-1)).toEqual([2_500]);
    expect(steps(0.9999).slice(-1)).toEqual([7_499]);
  });

  test("forgets after a quiet minute", () => {
    let now = 0;
    const limiter = new TransitionLimiter(
      () => now,
      () => 0.5,
    );
    for (let count = 0; count < 10; count++) limiter.next();
    now += 59_000;
    expect(limiter.next()).toBe(750);
    now += 61_000;
    expect(limiter.next()).toBe(0);
    for (let count = 0; count < 10; count++) limiter.next();
    now -= 3_600_000;
    expect(limiter.next()).toBe(0);
  });
});
