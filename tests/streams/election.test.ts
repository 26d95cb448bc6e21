import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { type Clock, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { type Election, type ElectionOptions, startElection } from "../../lib/streams/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { waitFor } from "../support/wait.ts";

let nats: TestNats;
let connection: Connection;
const folder = temporaryFolder();

beforeAll(async () => {
  nats = await startNats(`jetstream { store_dir: "${folder.path}" }`);
  connection = await connect();
  const manager = await jetstreamManager(connection.nats);
  for (const [bucket, seconds] of [
    ["CHORIA_LEADER_ELECTION", 1],
    ["SLOW", 7_200],
  ] as const) {
    await manager.streams.add({
      name: `KV_${bucket}`,
      subjects: [`$KV.${bucket}.>`],
      max_msgs_per_subject: 1,
      max_age: seconds * 1e9,
      allow_rollup_hdrs: true,
      deny_delete: true,
    });
  }
});

afterAll(async () => {
  await connection.close();
  await nats[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function connect(): Promise<Connection> {
  const options = { servers: [nats.address], name: "test", login: () => ({}), inboxPrefix: "inbox" };
  return connectBroker({ ...options, logger: silentLogger, tls: false });
}

interface Candidate extends AsyncDisposable {
  election: Election;
  log: string[];
}

function stand(name: string, identity: string, options: Partial<ElectionOptions> = {}): Candidate {
  const log: string[] = [];
  const election = startElection({
    connection,
    name,
    identity,
    onWon: () => void log.push("won"),
    onLost: () => void log.push("lost"),
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  return { election, log, [Symbol.asyncDispose]: () => election.stop() };
}

describe("an election", () => {
  test("has one leader, and another when that one stands no longer", async () => {
    await using first = stand("one", "a");
    await waitFor("a leader", () => first.election.isLeader);
    await using second = stand("one", "b");
    await using third = stand("one", "c");
    await Bun.sleep(1_500);
    expect([second.log, third.log]).toEqual([[], []]);
    await first.election.stop();
    expect(first.log).toEqual(["won", "lost"]);
    await waitFor("another leader", () => second.election.isLeader !== third.election.isLeader);
  }, 15_000);

  test("of another name has a leader of its own", async () => {
    await using first = stand("two", "a");
    await using second = stand("three", "b");
    await waitFor("two leaders", () => first.election.isLeader && second.election.isLeader);
  });

  test("is lost by a leader that cannot reach the bucket, before anybody else can win it", async () => {
    const cut = await connect();
    let isCut = false;
    const request: Connection["nats"]["request"] = (...args) =>
      isCut ? Promise.reject(new Error("timeout")) : cut.nats.request(...args);
    const proxy = new Proxy(cut.nats, {
      get: (target, key) => (key === "request" ? request : Reflect.get(target, key)),
    });
    await using first = stand("four", "a", { connection: { nats: proxy } });
    await waitFor("a leader", () => first.election.isLeader);
    await using second = stand("four", "b");
    isCut = true;
    await waitFor("another leader", () => {
      expect(first.election.isLeader && second.election.isLeader).toBe(false);
      return second.election.isLeader;
    });
    expect(first.log).toEqual(["won", "lost"]);
    isCut = false;
    await cut.close();
  }, 15_000);

  test("waits for its bucket, and takes none that forgets too late", async () => {
    const waits: number[] = [];
    const clock: Clock = {
      ...systemClock,
      sleep(ms, signal) {
        waits.push(ms);
        return systemClock.sleep(10, signal);
      },
    };
    await using missing = stand("five", "a", { bucket: "MISSING", clock });
    await using slow = stand("five", "a", { bucket: "SLOW", clock });
    await waitFor("some tries", () => waits.length > 6);
    expect([missing.election.isLeader, slow.election.isLeader]).toEqual([false, false]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_000);
  });

  test("survives callbacks that throw", async () => {
    const bad = () => {
      throw new Error("no");
    };
    await using candidate = stand("six", "a", { onWon: bad, onLost: bad });
    await waitFor("a leader", () => candidate.election.isLeader);
  });
});
