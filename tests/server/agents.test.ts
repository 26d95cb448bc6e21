import { beforeAll, describe, expect, test } from "bun:test";
import { configFrom } from "../../lib/config/mod.ts";
import type { Connection } from "../../lib/connector/mod.ts";
import { decodeRpcReply, emptyFilter, encodeRpcRequest, type RpcReply } from "../../lib/protocol/mod.ts";
import { type Agent, newHostStats } from "../../lib/rpc/mod.ts";
import { choriaUtilAgent } from "../../lib/server/agents/choria_util.ts";
import { discoveryAgent } from "../../lib/server/agents/discovery.ts";
import { rpcutilAgent } from "../../lib/server/agents/rpcutil.ts";
import type { ServerNode } from "../../lib/server/node.ts";
import { decodeUtf8, encodeUtf8, isObject, type JsonObject, silentLogger, version } from "../../lib/std/mod.ts";
import golden from "../fixtures/server/agent_replies.json";
import { FakeClock } from "../support/clock.ts";

const facts = { a: 2, memory: { size: 7959 }, os: { family: "RedHat" }, tags: ["web", "db"] };
const names = ["choria_util", "discovery", "rpcutil"];
const nats = {
  info: { tls_required: true },
  stats: () => ({ inMsgs: 1, outMsgs: 2, inBytes: 3, outBytes: 4 }),
};

function nodeOf(changes: Partial<ServerNode> = {}): ServerNode {
  const config = configFrom(
    {
      identity: "n1.example.net",
      collectives: "choria",
      rpcauthprovider: "aaasvc",
      registerinterval: "10",
      "plugin.choria.network.connect_timeout": "2s",
      "plugin.choria.middleware_hosts": "127.0.0.1:20756",
      "plugin.nats.pass": "s3cret",
      "plugin.other.token": "s3cret",
      "plugin.other.setting": "x",
    },
    "/etc/choria/server.conf",
  );
  return {
    config,
    identity: "n1.example.net",
    collectives: ["choria"],
    mainCollective: "choria",
    isProvisioning: false,
    clock: new FakeClock(),
    startedAt: Date.UTC(2025, 11, 31),
    facts: async () => facts,
    classes: () => ["apache", "common", "role::web"],
    agents: () =>
      names.map((name) => ({
        name,
        description: "d",
        author: "a",
        license: "l",
        version: "1",
        url: "u",
        timeout: 2,
        ...(name === "discovery" ? { service: true, provider: "external" } : {}),
      })),
    stats: newHostStats(),
    connection: { server: "nats://127.0.0.1:20756", nats } as unknown as Connection,
    reconnects: 0,
    ...changes,
  };
}

async function send(agent: Agent, payload: Uint8Array): Promise<Uint8Array | undefined> {
  const request = { message: payload, id: "1", sender: "vm", caller: "rip", collective: "choria", ttl: 60, time: 1n };
  const message = { request: { ...request, agent: agent.metadata.name, filter: emptyFilter() }, payload };
  return agent.handle(message, new AbortController().signal);
}

async function call(agent: Agent, action: string, data: JsonObject = {}): Promise<RpcReply> {
  const payload = encodeRpcRequest({ agent: agent.metadata.name, action, data });
  return decodeRpcReply((await send(agent, payload)) ?? new Uint8Array());
}

/** Keys in their order, and types, all the way down; values are left out. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return "list";
  if (isObject(value)) return Object.entries(value).map(([key, item]) => [key, shapeOf(item)]);
  return Number.isInteger(value) ? "integer" : typeof value;
}

const options = { logger: silentLogger };
let agents: Record<string, Agent>;

beforeAll(() => {
  const node = nodeOf();
  agents = { rpcutil: rpcutilAgent(node, options), choria_util: choriaUtilAgent(node, options) };
});

function agent(name: string): Agent {
  const found = agents[name];
  if (found === undefined) throw new Error(`No agent ${name}`);
  return found;
}

/** Replies that the original gives for the same facts, word for word. */
const exact = /get_fact|collective_info|get_config_item|machine_state|source=(config_item|scout|machine_state|nope)/;

describe("replies are those of the original", () => {
  for (const { request, reply } of golden) {
    test(request, async () => {
      const [name = "", action = "", ...inputs] = request.split(" ");
      const data = Object.fromEntries(inputs.map((input) => input.split(/=(.*)/s).slice(0, 2)));
      // What the client makes of missing data is its own affair: the bytes count here.
      const payload = encodeRpcRequest({ agent: name, action, data });
      const ours = JSON.parse(decodeUtf8((await send(agent(name), payload)) ?? new Uint8Array())) as JsonObject;
      expect([ours.action, ours.statuscode, ours.statusmsg]).toEqual([reply.action, reply.statuscode, reply.statusmsg]);
      if (exact.test(request)) expect(ours.data as unknown).toEqual(reply.data);
      else if (request !== "rpcutil inventory") expect(shapeOf(ours.data)).toEqual(shapeOf(reply.data));
    });
  }

  test("the inventory of a node", async () => {
    const { data } = await call(agent("rpcutil"), "inventory");
    expect(JSON.stringify(data)).toBe(
      JSON.stringify({
        agents: names,
        classes: ["apache", "common", "role::web"],
        collectives: ["choria"],
        data_plugins: ["choria", "config_item", "machine_state", "scout"],
        facts,
        machines: [],
        main_collective: "choria",
        version,
        upgradable: false,
      }),
    );
  });

  test("the inventory of agents says who is a service and what runs them", async () => {
    const { data } = await call(agent("rpcutil"), "agent_inventory");
    const list = isObject(data) && Array.isArray(data.agents) ? data.agents : [];
    expect(Object.keys(list[0])).toEqual("agent license author timeout name version url description".split(" "));
    expect(list[1]).toMatchObject({ agent: "discovery", provider: "external", service: true });
  });
});

describe("a server that is being provisioned", () => {
  test("has no data plugins", async () => {
    const provisioned = rpcutilAgent(nodeOf({ isProvisioning: true }), options);
    expect(await call(provisioned, "inventory")).toMatchObject({ data: { data_plugins: [] } });
    expect(await call(provisioned, "get_data", { source: "choria" })).toMatchObject({
      statuscode: 1,
      statusmsg: "Could not load data sources",
    });
  });
});

describe("inputs that an action cannot take", () => {
  const cases: [name: string, action: string, data: JsonObject, statusmsg: string][] = [
    ["rpcutil", "get_fact", {}, "Validation failed: input 'fact' is required"],
    ["rpcutil", "get_fact", { fact: 1 }, "Validation failed: validation failed for input 'fact': is not a string"],
    ["rpcutil", "get_fact", { fact: "x".repeat(513) }, "is longer than 512 characters"],
    ["rpcutil", "get_facts", { facts: "a;b" }, "validation failed for input 'facts': input does not match"],
    ["rpcutil", "get_config_item", {}, "input 'item' is required"],
    ["rpcutil", "get_data", { source: "a b" }, "validation failed for input 'source'"],
    ["rpcutil", "get_data", { source: "choria", query: [] }, "validation failed for input 'query': is not a string"],
    ["choria_util", "machine_state", { instance: "x" }, "validation failed for input 'instance'"],
    ["choria_util", "machine_transition", {}, "input 'transition' is required"],
  ];
  for (const [name, action, data, statusmsg] of cases) {
    test(`${name} ${action} ${JSON.stringify(data).slice(0, 40)}`, async () => {
      const reply = await call(agent(name), action, data);
      expect(reply.statuscode).toBe(4);
      expect(reply.statusmsg).toContain(statusmsg);
    });
  }
});

describe("configuration that callers ask for", () => {
  const value = async (item: string) => (await call(agent("rpcutil"), "get_config_item", { item })).data;

  test("is masked where it is secret", async () => {
    expect(await value("plugin.nats.pass")).toEqual({ item: "plugin.nats.pass", value: "*****" });
    expect(await value("plugin.other.token")).toEqual({ item: "plugin.other.token", value: "*****" });
    expect(
      await call(agent("rpcutil"), "get_data", { source: "config_item", query: "plugin.nats.pass" }),
    ).toMatchObject({
      data: { present: true, value: "*****" },
    });
  });

  test("may be of keys that nobody else knows", async () => {
    expect(await value("plugin.other.setting")).toEqual({ item: "plugin.other.setting", value: "x" });
  });

  test("follows from other settings where it is not set", async () => {
    expect(await value("main_collective")).toEqual({ item: "main_collective", value: "choria" });
  });
});

test("transitions of machines fail where there are no machines", async () => {
  expect(await call(agent("choria_util"), "machine_transition", { transition: "go" })).toMatchObject({
    statuscode: 1,
    statusmsg: "Could not perform go transition: autonomous agent host not initialized",
  });
  expect(await call(agent("choria_util"), "machine_state", { name: "swap" })).toMatchObject({
    statuscode: 1,
    statusmsg: "No running machines",
  });
});

test("facts whose path asks for too much are refused", async () => {
  const path = Array.from({ length: 30 }, () => "[@this,@this]").join("|");
  expect(await call(agent("rpcutil"), "get_fact", { fact: `${path}|@tostr` })).toMatchObject({ statuscode: 1 });
});

test("discovery answers pong to whatever holds ping, and nothing else", async () => {
  const reply = await send(discoveryAgent(), encodeUtf8("ping"));
  expect(decodeUtf8(reply ?? new Uint8Array())).toBe("pong");
  expect(decodeUtf8((await send(discoveryAgent(), encodeUtf8("a ping!"))) ?? new Uint8Array())).toBe("pong");
  expect(await send(discoveryAgent(), encodeUtf8("pong"))).toBeUndefined();
  expect(await send(discoveryAgent(), new Uint8Array([0xa6, 0x29, 0xe0]))).toBeUndefined();
});
