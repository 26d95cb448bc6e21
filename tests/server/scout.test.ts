import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { ServerHandle } from "../../lib/server/mod.ts";
import { isObject, type JsonObject } from "../../lib/std/mod.ts";
import { checkout } from "../cmd/support.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { type Network, startTestServer, TestClient } from "./support/server.ts";

const identity = "n1.example.net";
const organization = new TestOrganization();
const folder = temporaryFolder();
const store = folder.file("machines");
const servers: ServerHandle[] = [];
let broker: TestBroker;
let network: Network;
let client: TestClient;

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  network = { address: broker.address, organization, file: folder.file };
  const agents = ["rpcutil.*", "scout.*"];
  const member = await organization.client({ callerid: "up=bob", permissions: { fleet_management: true }, agents });
  client = await TestClient.connect(network, member);
  cpSync(join(checkout, "machines/check_choria"), join(store, "check_choria"), { recursive: true });
  await start(identity, {
    "plugin.choria.machine.store": store,
    "plugin.choria.status_file_path": folder.file("status.json"),
  });
});

afterAll(async () => {
  await client?.connection.close();
  for (const server of servers) await server.stop();
  await broker?.stop();
  folder[Symbol.dispose]();
});

async function start(name: string, settings: Record<string, string>): Promise<string[]> {
  const server = await startTestServer(network, name, settings);
  servers.push(server);
  return server.host.agents().map((agent) => agent.name);
}

const call = (agent: string, action: string, data: JsonObject = {}) => client.call(identity, agent, action, data);

async function check(): Promise<JsonObject> {
  const { data } = await call("scout", "checks");
  const [first] = isObject(data) && Array.isArray(data.checks) ? data.checks : [];
  return isObject(first) ? first : {};
}

describe("a server with checks", () => {
  test("runs them when it is told to, puts them to rest and wakes them", async () => {
    const done = (...transitioned: string[]) => ({ statuscode: 0, data: { transitioned, failed: [], skipped: [] } });
    await waitFor("the check", async () => (await check()).name === "check_choria");
    expect(await call("scout", "trigger")).toMatchObject(done("check_choria"));
    await waitFor("a result", async () => (await check()).state === "OK");
    expect(await check()).toMatchObject({ status: { plugin: "choria_status", status: "OK", identity } });
    expect(await call("scout", "maintenance", { checks: ["check_choria"] })).toMatchObject(done("check_choria"));
    await waitFor("rest", async () => (await check()).state === "MAINTENANCE");
    expect(await call("scout", "trigger")).toMatchObject({ data: { transitioned: [], skipped: ["check_choria"] } });
    expect(await call("scout", "resume")).toMatchObject(done("check_choria"));
    await waitFor("the end of it", async () => (await check()).state === "UNKNOWN");
  });

  test("tells of one by its name", async () => {
    const told = await call("rpcutil", "get_data", { source: "scout", query: "check_choria" });
    expect(told).toMatchObject({ statuscode: 0, data: { name: "check_choria", history: ["OK"] } });
    expect(await call("rpcutil", "get_data", { source: "scout", query: "other" })).toMatchObject({ data: {} });
  });
});

describe("the agent scout", () => {
  test("is hosted where there is a machine store, unless the configuration says no", async () => {
    expect(await start("n2.example.net", {})).not.toContain("scout");
    const own = { "plugin.choria.machine.store": folder.file("n3") };
    expect(await start("n3.example.net", own)).toContain("scout");
    const disabled = { "plugin.choria.machine.store": folder.file("n4"), "plugin.scout.agent_disabled": "true" };
    expect(await start("n4.example.net", disabled)).not.toContain("scout");
  });
});
