import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { enterGovernor, GovernorError, Governors } from "../../lib/streams/mod.ts";
import { privateNetworkId } from "../../lib/tokens/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";

const organization = new TestOrganization();
let broker: TestBroker;
let admin: Connection;
let server: Connection;
let governors: Governors;

function connect(name: string, { token, key }: Member, holder: string): Promise<Connection> {
  return connectBroker({
    servers: [broker.address],
    name,
    login: () => ({ token, key }),
    inboxPrefix: `choria.reply.${privateNetworkId(holder)}`,
    logger: silentLogger,
    tls: {},
  });
}

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  const permissions = { streams_admin: true, governor: true };
  admin = await connect("admin", await organization.client({ callerid: "up=admin", permissions }), "up=admin");
  const may = { permissions: { streams: true, governor: true } };
  const node = await organization.server({ identity: "n1.example.net", collectives: ["choria"], ...may });
  server = await connect("n1", node, "n1.example.net");
  governors = new Governors(admin, "choria");
});

afterAll(async () => {
  await Promise.all([admin.close(), server.close()]);
  await broker.stop();
});

const enter = (name: string, holder: string, timeout = 2_000) =>
  enterGovernor({ connection: server, collective: "choria", name, holder, timeout, interval: 20, clock: systemClock });

describe("a governor", () => {
  test("is made, changed, listed and removed", async () => {
    await governors.save({ name: "TEST", capacity: 2, expires: 60_000 });
    expect(await governors.names()).toContain("TEST");
    expect(await governors.find("TEST")).toEqual({
      name: "TEST",
      capacity: 2,
      expires: 60_000,
      replicas: 1,
      active: 0,
    });
    await governors.save({ name: "TEST", capacity: 5, expires: 30_000 });
    expect(await governors.find("TEST")).toMatchObject({ capacity: 5, expires: 30_000 });
    expect(await governors.remove("TEST")).toBeTrue();
    expect(await governors.remove("TEST")).toBeFalse();
    expect(await governors.find("TEST")).toBeUndefined();
  });

  test("lets in as many as it has slots, and the next when one has left", async () => {
    await governors.save({ name: "two", capacity: 2, expires: 60_000 });
    const [first, second] = [await enter("two", "a"), await enter("two", "b")];
    expect([first.sequence, second.sequence]).toEqual([1, 2]);
    const waiting = enter("two", "c", 10_000);
    expect((await governors.leases("two")).map(({ holder }) => holder)).toEqual(["a", "b"]);
    await first.leave();
    await first.leave();
    const third = await waiting;
    expect((await governors.leases("two")).map(({ sequence, holder }) => [sequence, holder])).toEqual([
      [2, "b"],
      [third.sequence, "c"],
    ]);
  });

  test("finds the slots that are held among many that were given back", async () => {
    await governors.save({ name: "many", capacity: 2, expires: 60_000 });
    await enter("many", "first");
    for (let i = 0; i < 200; i++) await (await enter("many", "passing")).leave();
    await enter("many", "last");
    expect((await governors.leases("many")).map(({ sequence, holder }) => [sequence, holder])).toEqual([
      [1, "first"],
      [202, "last"],
    ]);
  });

  test("shows who holds a slot, whatever bytes it calls itself", async () => {
    await governors.save({ name: "odd", capacity: 1, expires: 60_000 });
    await server.nats.request("choria.governor.odd", Uint8Array.of(0x61, 0xff), { timeout: 5_000 });
    expect((await governors.leases("odd")).map(({ holder }) => holder)).toEqual(["a\ufffd"]);
  });

  test("refuses once the wait is over, and says that it was full", async () => {
    await governors.save({ name: "one", capacity: 1, expires: 60_000 });
    await enter("one", "a");
    const refused = await enter("one", "b", 100).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(GovernorError);
    expect(refused).toMatchObject({ isFull: true });
  });

  test("frees a slot that its holder is evicted from, and all of them at a reset", async () => {
    await governors.save({ name: "evict", capacity: 2, expires: 60_000 });
    const { sequence } = await enter("evict", "a");
    await enter("evict", "b");
    expect(await governors.evict("evict", sequence)).toBe("a");
    expect(await governors.evict("evict", sequence)).toBeUndefined();
    expect(await governors.reset("evict")).toBe(1);
    expect(await governors.leases("evict")).toEqual([]);
  });

  test("frees slots that nobody gives back when they expire", async () => {
    await governors.save({ name: "short", capacity: 1, expires: 200 });
    await enter("short", "a");
    await waitFor("the next slot", () => enter("short", "b", 5_000));
  });
});

test("what is no governor is refused at once, and says where nobody answered", async () => {
  const refused = await enter("nope", "a", 60_000).catch((error: unknown) => error);
  expect(refused).toMatchObject({ isFull: false });
  expect(String(refused)).toContain("choria.governor.nope");
});

test.each(["", "a.b", "a b", "*", ">", "../x"])("%p is no name for a governor", async (name) => {
  await expect(enter(name, "a")).rejects.toThrow("Cannot use the governor name");
});
