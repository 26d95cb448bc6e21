import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtinDdl, encodeDdl, parseDdl } from "../../lib/ddl/mod.ts";
import { decodeRpcReply, type RpcReply } from "../../lib/protocol/mod.ts";
import type { ServerHandle } from "../../lib/server/mod.ts";
import { encodeUtf8, isObject, type JsonObject } from "../../lib/std/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { type Network, startTestServer, TestClient } from "./support/server.ts";

const organization = new TestOrganization();
const folder = temporaryFolder();
const fixtures = join(import.meta.dir, "../fixtures/ddl/ruby");
const requests = readFileSync(join(fixtures, "requests.registry.json"), "utf8");
let broker: TestBroker;
let network: Network;
let client: TestClient;
let servers: ServerHandle[];

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  network = { address: broker.address, organization, file: folder.file };
  const member = await organization.client({ callerid: "up=bob", permissions: { fleet_management: true } });
  client = await TestClient.connect(network, member);
  const store = folder.file("store");
  const save = (path: string, text: string) => {
    mkdirSync(join(store, path, ".."), { recursive: true });
    writeFileSync(join(store, path), text);
  };
  save("mcollective/agent/requests/requests.json", requests);
  save("choria/agent/broken.json", "{");
  // Choria's own come first, whatever lies in the store.
  save("mcollective/agent/rpcutil.json", requests.replace('"name":"requests"', '"name":"rpcutil"'));
  save("mcollective/agent/readme.txt", "");
  const settings = { "plugin.choria.services.registry.store": store };
  servers = [
    await startTestServer(network, "n1.example.net", settings),
    await startTestServer(network, "n2.example.net", settings),
  ];
});

afterAll(async () => {
  await client?.connection.close();
  for (const server of servers ?? []) await server.stop();
  await broker?.stop();
  folder[Symbol.dispose]();
});

async function call(action: string, data: object): Promise<RpcReply> {
  const payload = JSON.stringify({ agent: "choria_registry", action, data });
  const [answer] = await client.request("choria_registry", payload, { expect: 1, service: true });
  return decodeRpcReply(encodeUtf8(answer?.text ?? ""));
}

const dataOf = (reply: RpcReply): JsonObject => (isObject(reply.data) ? reply.data : {});

describe("the registry", () => {
  test("is a service: one of its hosts answers", async () => {
    const before = servers.map(({ stats }) => stats.replies).reduce((a, b) => a + b, 0);
    for (let i = 0; i < 10; i++) await call("names", { plugin_type: "agent" });
    expect(servers.map(({ stats }) => stats.replies).reduce((a, b) => a + b, 0)).toBe(before + 10);
  });

  test("names what is in the store", async () => {
    const { statuscode, data } = await call("names", { plugin_type: "agent" });
    expect(statuscode).toBe(0);
    expect(data).toEqual({ names: ["broken", "requests", "rpcutil"], plugin_type: "agent" });
  });

  test("hands out a DDL of the store, in JSON and in Ruby", async () => {
    const wanted = { name: "requests", plugin_type: "agent" };
    const json = dataOf(await call("ddl", { ...wanted, format: "json" }));
    expect(json).toMatchObject({ ...wanted, version: "0.0.1" });
    expect(parseDdl(String(json.ddl), "reply")).toEqual(parseDdl(requests, "fixture"));
    const ruby = dataOf(await call("ddl", { ...wanted, format: "ddl" }));
    expect(ruby.ddl).toBe(readFileSync(join(fixtures, "requests.registry.ddl"), "utf8"));
  });

  test("hands out Choria's own before those of the store", async () => {
    const { data } = await call("ddl", { name: "rpcutil", plugin_type: "agent", format: "json" });
    const own = builtinDdl("rpcutil");
    expect(isObject(data) ? data.ddl : "").toBe(own === undefined ? "missing" : encodeDdl(own));
  });

  test.each(["nonesuch", "broken", "../../../etc/passwd", "Requests"])("does not load %s", async (name) => {
    expect(await call("ddl", { name, plugin_type: "agent", format: "json" })).toEqual({
      action: "ddl",
      statuscode: 1,
      statusmsg: "Could not load DDL",
      data: { name: "", plugin_type: "", version: "", ddl: "" },
    });
  });

  test.each([
    ["ddl", { name: "requests", plugin_type: "agent", format: "yaml" }, "format"],
    ["ddl", { name: "requests", plugin_type: "data", format: "json" }, "plugin_type"],
    ["ddl", { plugin_type: "agent", format: "json" }, "name"],
    ["names", { plugin_type: 1 }, "plugin_type"],
  ])("refuses %s of %p", async (action, data, input) => {
    const { statuscode, statusmsg } = await call(action, data);
    expect(statuscode).toBe(4);
    expect(statusmsg).toContain(`input '${input}'`);
  });
});
