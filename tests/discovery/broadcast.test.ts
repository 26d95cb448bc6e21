import { describe, expect, test } from "bun:test";
import {
  type Broadcaster,
  type BroadcastQuestion,
  broadcastSource,
  type DiscoveryQuery,
  namedNodes,
} from "../../lib/discovery/mod.ts";
import { emptyFilter } from "../../lib/protocol/mod.ts";
import { decodeUtf8 } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";

/** A network that answers as the test says. */
class FakeNetwork implements Broadcaster {
  readonly questions: BroadcastQuestion[] = [];
  readonly unheard = Promise.withResolvers<void>();
  isOpen = false;
  answer: (sender: string, elapsed?: number) => void = () => undefined;

  async ask(question: BroadcastQuestion, onAnswer: (sender: string, elapsed: number) => void) {
    this.questions.push(question);
    this.answer = (sender, elapsed = 1) => onAnswer(sender, elapsed);
    this.isOpen = true;
    return {
      unheard: this.unheard.promise,
      [Symbol.dispose]: () => {
        this.isOpen = false;
      },
    };
  }
}

/** Start a search; what it found is in `nodes`, and `done` resolves at its end. */
async function search(query: Partial<DiscoveryQuery> = {}) {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const stop = new AbortController();
  const nodes: string[] = [];
  const source = broadcastSource(network, clock, "mc");
  const full = { collective: "choria", filter: emptyFilter(), timeout: 2_000, ...query };
  const state = { isDone: false };
  const done = (async () => {
    for await (const node of source.discover(full, stop.signal)) nodes.push(node);
    state.isDone = true;
  })();
  done.catch(() => undefined);
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  await settle();
  return { network, clock, stop, nodes, done, state, settle };
}

describe("asking everybody", () => {
  test("waits for the whole timeout, and hands each node out once as it answers", async () => {
    const { network, clock, nodes, state, settle, done } = await search();
    network.answer("b");
    await settle();
    expect(nodes).toEqual(["b"]);
    network.answer("a");
    network.answer("b");
    await clock.advance(1_999);
    await settle();
    expect({ nodes, isDone: state.isDone }).toEqual({ nodes: ["b", "a"], isDone: false });
    await clock.advance(1);
    await done;
    expect({ isOpen: network.isOpen, timers: clock.pending }).toEqual({ isOpen: false, timers: 0 });
  });

  test("asks with the payload that nodes know, and the filter", async () => {
    const filter = { ...emptyFilter(), cf_class: ["web"] };
    const { network } = await search({ filter });
    const [question] = network.questions;
    expect(question).toMatchObject({ agent: "discovery", collective: "choria", filter });
    expect(decodeUtf8(question?.payload ?? new Uint8Array())).toBe("cGluZw==");
  });

  test("with a window ends when answers stop coming, but not before the first", async () => {
    const { network, clock, nodes, state, settle, done } = await search({ window: 300 });
    await clock.advance(1_000);
    network.answer("a");
    await clock.advance(299);
    network.answer("b");
    await clock.advance(299);
    await settle();
    expect(state.isDone).toBe(false);
    await clock.advance(1);
    await done;
    expect(nodes).toEqual(["a", "b"]);
  });

  test("with a window never lasts longer than its timeout", async () => {
    const { network, clock, state, settle } = await search({ window: 300 });
    for (let i = 0; i < 10; i++) {
      network.answer(`n${i}`);
      await clock.advance(200);
    }
    await settle();
    expect(state.isDone).toBe(true);
  });

  test("ends when nobody hears the question", async () => {
    const { network, nodes, done } = await search();
    network.unheard.resolve();
    await done;
    expect(nodes).toEqual([]);
  });

  test("fails when the question is refused, after what was found", async () => {
    const { network, nodes, done } = await search();
    network.answer("a");
    network.unheard.reject(new Error("not allowed"));
    await expect(done).rejects.toThrow("not allowed");
    expect(nodes).toEqual(["a"]);
  });

  test("stops when it is called off", async () => {
    const { network, clock, stop, done } = await search();
    stop.abort();
    await done;
    expect({ isOpen: network.isOpen, timers: clock.pending }).toEqual({ isOpen: false, timers: 0 });
  });
});

describe("a filter that only names nodes", () => {
  test("is its own answer: nobody is asked", async () => {
    const filter = { ...emptyFilter(), identity: ["n1", "n2", "n1"], agent: ["rpcutil"] };
    const { network, nodes, done } = await search({ filter });
    await done;
    expect(nodes).toEqual(["n1", "n2"]);
    expect(network.questions).toEqual([]);
  });

  test("is not one as soon as anything else is asked", () => {
    const named = { ...emptyFilter(), identity: ["n1"] };
    expect(namedNodes({ ...named, identity: ["n1", "/^web/"] })).toBeUndefined();
    expect(namedNodes({ ...named, cf_class: ["x"] })).toBeUndefined();
    expect(namedNodes({ ...named, fact: [{ fact: "a", operator: "==", value: "1" }] })).toBeUndefined();
    expect(namedNodes({ ...named, compound: [[{ expr: "true" }]] })).toBeUndefined();
    expect(namedNodes(emptyFilter())).toBeUndefined();
  });
});
