import { describe, expect, test } from "bun:test";
import { CallError, DeferredError, Fleet, type NodeOutcome, type NodeTurn } from "../../lib/provisioner/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";

interface Job {
  node: string;
  turn: NodeTurn;
  done(outcome?: NodeOutcome): Promise<void>;
  fail(error: Error): Promise<void>;
}

function rig(places = 2) {
  const clock = new FakeClock();
  const jobs: Job[] = [];
  const counted: Record<string, number> = {};
  const fleet = new Fleet({
    provision: (node, turn) => {
      const { promise, resolve, reject } = Promise.withResolvers<NodeOutcome>();
      jobs.push({
        node,
        turn,
        done: (outcome = "provisioned") => settle(() => resolve(outcome)),
        fail: (error) => settle(() => reject(error)),
      });
      return promise;
    },
    places,
    longestWait: 60_000,
    metrics: { count: (name) => Object.assign(counted, { [name]: (counted[name] ?? 0) + 1 }), set() {} },
    clock,
    logger: silentLogger,
  });
  const names = () => jobs.map(({ node }) => node);
  const job = (index: number): Job => {
    const found = jobs[index];
    if (found === undefined) throw new Error(`no job ${index}`);
    return found;
  };
  return { fleet, clock, jobs, names, job, counted };
}

async function settle(work: () => void = () => {}): Promise<void> {
  work();
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe("a fleet", () => {
  test("takes up each node once, in their order", async () => {
    const { fleet, names } = rig();
    for (const node of ["a", "b", "c", "a", "b"]) fleet.add(node, "discovery");
    await settle();
    expect(names()).toEqual(["a", "b", "c"]);
    expect([fleet.working, fleet.queued]).toEqual([3, 0]);
  });

  test("has as many provisioned at a time as it has places, however many are silent", async () => {
    const { fleet, job } = rig(2);
    for (let i = 0; i < 500; i++) fleet.add(`silent${i}`, "event");
    for (const node of ["a", "b", "c"]) fleet.add(node, "event");
    await settle();
    const inside: string[] = [];
    for (const at of [500, 501, 502])
      void job(at)
        .turn.enter()
        .then(() => inside.push(job(at).node));
    await settle();
    expect(inside).toEqual(["a", "b"]);
    await job(500).done();
    expect(inside).toEqual(["a", "b", "c"]);
  });

  test("gives the place of a node that waits to another", async () => {
    const { fleet, job, clock } = rig(1);
    fleet.add("slow", "event");
    fleet.add("alive", "event");
    await settle();
    await job(0).turn.enter();
    let isInside = false;
    void job(1)
      .turn.enter()
      .then(() => {
        isInside = true;
      });
    await settle();
    expect(isInside).toBe(false);
    const rested = job(0).turn.rest(1_000);
    await settle();
    expect(isInside).toBe(true);
    await clock.advance(1_000);
    await job(1).done();
    await rested;
  });

  test("knocks at no more than some hundred nodes at a time", async () => {
    const { fleet, names, job } = rig();
    for (let i = 0; i < 600; i++) fleet.add(`n${i}`, "event");
    await settle();
    expect([names().length, fleet.queued]).toEqual([512, 88]);
    await job(0).fail(new Error("silent"));
    expect(names()).toHaveLength(513);
  });

  test("leaves a node alone for a minute after it was provisioned, unless it starts anew", async () => {
    const { fleet, names, job, clock, counted } = rig();
    fleet.add("a", "event");
    await settle();
    await job(0).done();
    expect(fleet.add("a", "discovery")).toBe(false);
    expect(fleet.add("a", "event")).toBe(true);
    await settle();
    await job(1).done();
    await clock.advance(60_000);
    fleet.prune();
    expect(fleet.add("a", "discovery")).toBe(true);
    expect(names()).toHaveLength(2);
    expect(counted.provisioned).toBe(2);
  });

  test("takes up a failed node again after a while that grows, or at once when it starts anew", async () => {
    const { fleet, job, clock, counted } = rig();
    fleet.add("a", "event");
    await settle();
    await job(0).fail(new Error("broken"));
    expect(fleet.add("a", "discovery")).toBe(false);
    await clock.advance(5_000);
    expect(fleet.add("a", "discovery")).toBe(true);
    await settle();
    await job(1).fail(new Error("broken"));
    await clock.advance(5_000);
    expect(fleet.add("a", "discovery")).toBe(false);
    expect(fleet.add("a", "event")).toBe(true);
    expect(counted.provision_errors).toBe(2);
  });

  test("takes up a node that started anew while it was worked on", async () => {
    const { fleet, names, job } = rig();
    fleet.add("a", "event");
    await settle();
    fleet.add("a", "event");
    await job(0).fail(new CallError("gone", "nobody there"));
    expect(names()).toEqual(["a", "a"]);
  });

  test("forgets a node that is gone, and counts no error", async () => {
    const { fleet, job, counted } = rig();
    fleet.add("a", "discovery");
    await settle();
    await job(0).fail(new CallError("gone", "nobody there"));
    expect(counted.provision_errors).toBeUndefined();
    expect(fleet.add("a", "discovery")).toBe(true);
  });

  test("leaves a node to the provisioner that holds its lock, and a deferred one for the whole interval", async () => {
    const { fleet, job, clock, counted } = rig();
    fleet.add("locked", "discovery");
    fleet.add("deferred", "discovery");
    await settle();
    await job(0).fail(new Error("invalid response from locked: Could not obtain provisioning lock (1)"));
    await job(1).fail(new DeferredError("not yet"));
    await clock.advance(5_000);
    expect(fleet.add("locked", "discovery")).toBe(true);
    expect(fleet.add("deferred", "discovery")).toBe(false);
    await clock.advance(55_000);
    expect(fleet.add("deferred", "discovery")).toBe(true);
    expect(counted.provision_errors).toBe(1);
  });

  test("slows down for a node that keeps coming back", async () => {
    const { fleet, jobs, job, clock } = rig();
    for (let i = 0; i < 3; i++) {
      expect(fleet.add("a", "event")).toBe(true);
      await settle();
      await job(i).done();
    }
    expect(fleet.add("a", "event")).toBe(false);
    await clock.advance(9_000);
    expect(fleet.add("a", "event")).toBe(false);
    await clock.advance(1_000);
    expect(fleet.add("a", "event")).toBe(true);
    expect(jobs).toHaveLength(3);
  });

  test("takes up a node that upgrades itself as soon as it is back", async () => {
    const { fleet, job } = rig();
    fleet.add("a", "event");
    await settle();
    await job(0).done("upgraded");
    expect(fleet.add("a", "discovery")).toBe(true);
  });

  test("passes over names that are no part of a subject", () => {
    const { fleet } = rig();
    for (const name of ["", "*", "a.>", "a b", "a..b", ".a", "a.", "a\u0000", "x".repeat(256)]) {
      expect(fleet.add(name, "event")).toBe(false);
    }
  });

  test("forgets those that wait when it is cleared, and calls off the rest when it stops", async () => {
    const { fleet, names, job } = rig();
    for (let i = 0; i < 513; i++) fleet.add(`n${i}`, "event");
    await settle();
    expect(fleet.queued).toBe(1);
    fleet.clear();
    expect(fleet.queued).toBe(0);
    fleet.stop();
    expect(job(0).turn.signal.aborted).toBe(true);
    await job(0).fail(new Error("called off"));
    expect(names()).toHaveLength(512);
  });
});
