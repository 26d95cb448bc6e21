import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectFleet, type Fleet, type RequestEvent } from "../../lib/client/mod.ts";
import { rpcAgent } from "../../lib/rpc/mod.ts";
import { errorText, silentLogger } from "../../lib/std/mod.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { type TestNetwork, testNetwork } from "./support/network.ts";

let network: TestNetwork;
let fleet: Fleet;

beforeAll(async () => {
  network = await testNetwork(3);
  fleet = await connectFleet(network.config(), { tls: false });
});

afterAll(async () => {
  await fleet.close();
  await network[Symbol.asyncDispose]();
});

const names = ["n1.example.net", "n2.example.net", "n3.example.net"];

describe("a request", () => {
  test("reaches every discovered node, hands out their replies and ends with the last", async () => {
    const request = fleet.request("rpcutil", "get_fact", { fact: "memory.size" });
    const replies = await request.all();
    expect(replies.map(({ sender }) => sender).sort()).toEqual(names);
    expect(replies.every(({ ok, statuscode, statusmsg }) => ok && statuscode === 0 && statusmsg === "OK")).toBe(true);
    expect(request.stats).toMatchObject({
      discovered: 3,
      responses: 3,
      ok: 3,
      failed: 0,
      noResponses: [],
      rejected: 0,
    });
    expect(request.summaries).toEqual({ value: { "7959": 2, "8059": 1 } });
    expect(request.stats.requestTime).toBeLessThan(1_000);
  });

  test("reports its progress", async () => {
    const events: RequestEvent[] = [];
    await fleet.request("rpcutil", "ping", {}, { onEvent: (event) => events.push(event) }).all();
    expect(events.map(({ kind }) => kind)).toEqual([
      "discovering",
      "discovered",
      "sending",
      "progress",
      "progress",
      "progress",
    ]);
    expect(events.at(-1)).toEqual({ kind: "progress", done: 3, total: 3 });
  });

  test("to named nodes asks nobody else, and knows at once that a node is not there", async () => {
    const start = Date.now();
    const filter = { identities: ["n1.example.net", "gone.example.net"] };
    const request = fleet.request("rpcutil", "ping", {}, { filter });
    expect((await request.all()).map(({ sender }) => sender)).toEqual(["n1.example.net"]);
    expect(request.stats).toMatchObject({ discovered: 2, responses: 1, noResponses: ["gone.example.net"] });
    expect(Date.now() - start).toBeLessThan(1_000);
  });

  test("counts failures by their status", async () => {
    const request = fleet.request("rpcutil", "get_fact", { fact: "nope" });
    const replies = await request.all();
    expect(replies.every((reply) => !reply.ok && reply.statuscode === 1 && reply.statusmsg === "no fact nope")).toBe(
      true,
    );
    expect(request.stats).toMatchObject({ ok: 0, failed: 3, responses: 3 });
    expect(request.summaries).toEqual({ value: {} });
  });

  test("is refused before anything is sent when agent, action or input is unknown", async () => {
    const calls = () => network.nodes.flatMap((node) => node.calls).length;
    const before = calls();
    await expect(fleet.request("nope", "ping").all()).rejects.toThrow("could not resolve nope DDL in any resolver");
    await expect(fleet.request("rpcutil", "nope").all()).rejects.toThrow("unknown action rpcutil#nope");
    await expect(fleet.request("rpcutil", "get_fact").all()).rejects.toThrow("input 'fact' is required");
    await expect(fleet.request("rpcutil", "ping", { x: 1 }).all()).rejects.toThrow("input 'x' has not been declared");
    const elsewhere = fleet.request("rpcutil", "ping", {}, { collective: "mars" }).all();
    await expect(elsewhere).rejects.toThrow(
      "cannot set collective to 'mars', it is not on the list of known collectives",
    );
    expect(calls()).toBe(before);
  });

  test("never sends to a name that is none", async () => {
    for (const bad of ["n1 n2", "n1.>", "*", "a\r\nPUB x"]) {
      await expect(fleet.request("rpcutil", "ping", {}, { nodes: [bad] }).all()).rejects.toThrow(
        "invalid identity string",
      );
      const filter = { identities: [bad] };
      await expect(fleet.request("rpcutil", "ping", {}, { filter }).all()).rejects.toThrow("invalid identity string");
    }
    const replyTo = "a b";
    await expect(fleet.request("rpcutil", "ping", {}, { nodes: names, replyTo }).all()).rejects.toThrow(
      "not a subject",
    );
  });

  test("says when nobody is discovered", async () => {
    const filter = { identities: ["/^zz/"] };
    const options = { filter, timeout: 200 };
    await expect(fleet.request("rpcutil", "ping", {}, options).all()).rejects.toThrow("did not discover any nodes");
  });

  test("goes out in batches, each node seeing its id once", async () => {
    const before = network.nodes.map((node) => node.calls.length);
    const request = fleet.request("rpcutil", "ping", {}, { nodes: names, batch: 2, batchSleep: 50 });
    const replies = await request.all();
    expect(replies.map(({ sender }) => sender).sort()).toEqual(names);
    expect(new Set(replies.map(({ document }) => document.request)).size).toBe(1);
    expect(network.nodes.map((node, i) => node.calls.length - (before[i] ?? 0))).toEqual([1, 1, 1]);
    expect(request.stats.requestTime).toBeGreaterThanOrEqual(49);
  });

  test("may be limited, and a limit above the number of nodes takes all", async () => {
    const two = fleet.request("rpcutil", "ping", {}, { limit: { limit: "2" } });
    expect(await two.all()).toHaveLength(2);
    const all = fleet.request("rpcutil", "ping", {}, { limit: { limit: "20" } });
    expect(await all.all()).toHaveLength(3);
    const none = fleet.request("rpcutil", "ping", {}, { limit: { limit: "1%" } }).all();
    await expect(none).rejects.toThrow("no targets left after applying target limits of '1%'");
  });

  test("asked of everybody takes whoever answers", async () => {
    const request = fleet.request("rpcutil", "ping", {}, { broadcast: true, requestTimeout: 300 });
    expect((await request.all()).map(({ sender }) => sender).sort()).toEqual(names);
    expect(request.stats.discovered).toBe(3);
  });

  test("with replies for somebody else waits for none", async () => {
    const other = await network.connect();
    const seen: string[] = [];
    other.subscribe("elsewhere.replies", () => void seen.push("reply"));
    await other.flush();
    const request = fleet.request("rpcutil", "ping", {}, { nodes: names, replyTo: "elsewhere.replies" });
    expect(await request.all()).toEqual([]);
    expect(request.stats.requestId).toHaveLength(27);
    await waitFor("replies elsewhere", () => seen.length === 3);
  });

  test("can be called off while it runs", async () => {
    const stop = new AbortController();
    const slow = await network.addNode("slow.example.net", {
      actions: { ping: (_data, { signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)) },
    });
    const request = fleet.request(
      "rpcutil",
      "ping",
      {},
      { nodes: ["n1.example.net", slow.identity], signal: stop.signal },
    );
    const read = async () => {
      for await (const _reply of request) stop.abort(new Error("enough"));
    };
    await expect(read()).rejects.toThrow("enough");
    await read().catch(() => undefined);
    expect(request.stats).toMatchObject({ responses: 1, noResponses: [slow.identity] });
    await slow[Symbol.asyncDispose]();
    network.nodes.pop();
  });

  test("whose reader goes away ends", async () => {
    const request = fleet.request("rpcutil", "ping", {}, { nodes: names, batch: 1, batchSleep: 60_000 });
    for await (const reply of request) {
      expect(reply.ok).toBe(true);
      break;
    }
    expect(request.stats.responses).toBe(1);
  });

  test("cannot be made twice", async () => {
    const request = fleet.request("rpcutil", "ping", {}, { nodes: ["n1.example.net"] });
    await request.all();
    await expect(request.all()).rejects.toThrow("Cannot call rpcutil#ping twice by one request");
  });
});

describe("a service request", () => {
  const ddl = {
    metadata: {
      name: "answers",
      description: "",
      author: "",
      license: "",
      version: "1.0.0",
      url: "",
      timeout: 2,
      service: true,
    },
    actions: [{ name: "ask", description: "", display: "always", input: {}, output: {}, aggregate: [] }],
  } as const;

  test("is answered once, by whoever hosts the service", async () => {
    const agent = () => rpcAgent(ddl.metadata, { ask: () => ({ value: 42 }) }, { logger: silentLogger });
    await using _a = await network.addNode("s1.example.net", { agents: [agent()] });
    await using _b = await network.addNode("s2.example.net", { agents: [agent()] });
    network.nodes.splice(-2);
    const request = fleet.request("answers", "ask", {}, { ddl });
    const replies = await request.all();
    expect(replies).toHaveLength(1);
    expect(replies[0]?.data).toEqual({ value: 42 });
    expect(request.stats).toMatchObject({ discovered: 1, responses: 1, ok: 1 });
  });

  test("that nobody hosts ends at once", async () => {
    const start = Date.now();
    const silent = { ...ddl, metadata: { ...ddl.metadata, name: "silence" } };
    const request = fleet.request("silence", "ask", {}, { ddl: silent });
    const text = "expected 1 response received 0: nobody hosts the service silence";
    expect(await request.all().catch(errorText)).toBe(text);
    expect(Date.now() - start).toBeLessThan(1_000);
  });

  test("that is not answered in time says so", async () => {
    const ignorant = rpcAgent(ddl.metadata, { ask: () => Bun.sleep(1_000) }, { logger: silentLogger });
    await using _node = await network.addNode("s3.example.net", { agents: [ignorant] });
    network.nodes.pop();
    const request = fleet.request("answers", "ask", {}, { ddl, requestTimeout: 50 });
    const text = "expected 1 response received 0, the service answers did not answer in time";
    expect(await request.all().catch(errorText)).toBe(text);
  });

  test("takes no filter", async () => {
    const request = fleet.request("answers", "ask", {}, { ddl, filter: { classes: ["x"] } });
    await expect(request.all()).rejects.toThrow("service requests does not support filters");
  });
});

describe("replies that are not believed", () => {
  test("are counted with their reason and not mixed in", async () => {
    await using stranger = await network.addNode("n9.example.net", { organization: new TestOrganization() });
    await using mute = await network.addNode("n8.example.net", { unsigned: true });
    network.nodes.splice(-2);
    const nodes = ["n1.example.net", stranger.identity, mute.identity];
    const request = fleet.request("rpcutil", "ping", {}, { nodes, requestTimeout: 300 });
    expect((await request.all()).map(({ sender }) => sender)).toEqual(["n1.example.net"]);
    const { rejected, rejections, noResponses } = request.stats;
    expect(rejected).toBe(2);
    expect(noResponses).toEqual([mute.identity, stranger.identity].sort());
    expect(rejections.map(({ sender }) => sender).sort()).toEqual(noResponses);
    expect(rejections.find(({ sender }) => sender === mute.identity)?.reason).toContain("it is not signed");
  });

  test("are taken where the client says so", async () => {
    await using mute = await network.addNode("n8.example.net", { unsigned: true });
    network.nodes.pop();
    await using lenient = await connectFleet(network.config(), { tls: false, acceptUnverified: true });
    const request = lenient.request("rpcutil", "ping", {}, { nodes: [mute.identity] });
    expect(await request.all()).toHaveLength(1);
  });

  test("from an organization whose key is not configured must still be signed by the holder of their token", async () => {
    const config = network.config().with({ "plugin.security.issuer.names": undefined });
    await using unanchored = await connectFleet(config, { tls: false });
    expect(await unanchored.request("rpcutil", "ping", {}, { nodes: names }).all()).toHaveLength(3);
    await using mute = await network.addNode("n8.example.net", { unsigned: true });
    network.nodes.pop();
    const request = unanchored.request("rpcutil", "ping", {}, { nodes: [mute.identity], requestTimeout: 200 });
    expect(await request.all()).toEqual([]);
    expect(request.stats.rejected).toBe(1);
  });
});
