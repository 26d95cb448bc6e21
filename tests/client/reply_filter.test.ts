import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectFleet, type Fleet, type FleetReply, ReplyFilter } from "../../lib/client/mod.ts";
import { ExprError } from "../../lib/expr/mod.ts";
import { type TestNetwork, testNetwork } from "./support/network.ts";

const noon = Date.UTC(2026, 10, 22, 12);

describe("a filter of replies", () => {
  let reply: FleetReply;
  let network: TestNetwork;
  let fleet: Fleet;

  beforeAll(async () => {
    network = await testNetwork(3);
    fleet = await connectFleet(network.config(), { tls: false });
    const filter = { identities: ["n1.example.net"] };
    const [first] = await fleet.request("rpcutil", "ping", {}, { filter }).all();
    if (first === undefined) throw new Error("Nobody answered");
    const data = { version: "1.4.2", tags: ["web", 3], disk: { used: 91.5, size: 100 }, list: [{ n: 1 }, { n: 2 }] };
    reply = { ...first, data, statusmsg: "OK", time: BigInt(noon) * 1_000_000n };
  });

  afterAll(async () => {
    await fleet?.close();
    await network?.[Symbol.asyncDispose]();
  });

  const matches = (source: string, changes: Partial<FleetReply> = {}) =>
    new ReplyFilter(source, { now: () => noon + 60_000 }).matches({ ...reply, ...changes });

  test("asks for the outputs by their paths", () => {
    expect(matches('data("disk.used") > 90')).toBe(true);
    expect(matches('data("disk.used") / data("disk.size") > 0.95')).toBe(false);
    expect(matches('data("list.#.n") == [1, 2]')).toBe(true);
    expect(matches('data("nope") == nil')).toBe(true);
    expect(matches('include(data("tags"), "web") and include(data("tags"), 3)')).toBe(true);
    expect(matches('include(data("nope"), "web")')).toBe(false);
    expect(matches('semver(data("version"), "^1.4")')).toBe(true);
  });

  test("asks how the action ended", () => {
    const outcomes = ["ok", "aborted", "unknown_action", "missing_data", "invalid_data", "unknown_error"];
    for (const [statuscode, name] of outcomes.entries()) {
      for (const other of outcomes) expect(matches(`${other}()`, { statuscode })).toBe(other === name);
      expect(matches(`code == ${statuscode}`, { statuscode })).toBe(true);
    }
    expect(matches('aborted() and msg contains "disk"', { statuscode: 1, statusmsg: "the disk is full" })).toBe(true);
  });

  test("asks who answered and when", () => {
    expect(matches('sender() startsWith "n1."')).toBe(true);
    expect(matches("time().Hour() == 12")).toBe(true);
    expect(matches('now() - time() == duration("1m")')).toBe(true);
  });

  test("has to be boolean, and knows no other names than nil", () => {
    expect(() => matches("code")).toThrow(new ExprError("expected bool, but got int"));
    expect(() => matches("ok(")).toThrow("unexpected token EOF (1:3)");
    expect(matches("nope == nil")).toBe(true);
    expect(matches("nope")).toBe(false);
  });

  test("has no answer where things cannot be compared", () => {
    expect(() => matches('data("nope") > 1')).toThrow("invalid operation: <nil> > int (1:14)");
    expect(() => matches('semver(data("disk.used"), ">1")')).toThrow(ExprError);
  });

  test("leaves figures as they are, but neither hands out nor summarises what it does not keep", async () => {
    const filter = new ReplyFilter('data("value") > 8000');
    const keep = (each: FleetReply) => filter.matches(each);
    const request = fleet.request("rpcutil", "get_fact", { fact: "memory.size" }, { keep });
    expect((await request.all()).map(({ data }) => data)).toEqual([{ fact: "memory.size", value: 8059 }]);
    expect(request.stats).toMatchObject({ discovered: 3, responses: 3, ok: 3, noResponses: [] });
    expect(request.summaries).toEqual({ value: { "8059": 1 } });
  });
});
