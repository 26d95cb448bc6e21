import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ServerHandle } from "../../lib/server/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { type Network, startTestServer, TestClient } from "./support/server.ts";

const organization = new TestOrganization();
const folder = temporaryFolder();
let broker: TestBroker;
let network: Network;
let servers: ServerHandle[];
let client: TestClient;

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  network = { address: broker.address, organization, file: folder.file };
  servers = await Promise.all(["n1.example.net", "n2.example.net"].map((name) => startTestServer(network, name)));
  const member = await organization.client({ callerid: "up=bob", permissions: { fleet_management: true } });
  client = await TestClient.connect(network, member);
});

afterAll(async () => {
  await client?.connection.close();
  for (const server of servers ?? []) await server.stop();
  await broker?.stop();
  folder[Symbol.dispose]();
});

describe("two servers on one broker", () => {
  test("answer a broadcast discovery with signed replies", async () => {
    expect(await client.request("discovery", "cGluZw==", { expect: 2 })).toEqual([
      { sender: "n1.example.net", text: "pong" },
      { sender: "n2.example.net", text: "pong" },
    ]);
  });

  test("answer a call that is addressed to one of them", async () => {
    const before = servers.map(({ stats }) => stats.replies);
    const reply = await client.call("n2.example.net", "rpcutil", "ping");
    expect(reply).toMatchObject({ action: "ping", statuscode: 0, statusmsg: "OK" });
    expect(servers.map(({ stats }, at) => stats.replies - (before[at] ?? 0))).toEqual([0, 1]);
  });
});
