import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectFleet, type Fleet } from "../../lib/client/mod.ts";
import { type Config, configFrom } from "../../lib/config/mod.ts";
import type { ServerHandle } from "../../lib/server/mod.ts";
import { errorText } from "../../lib/std/mod.ts";
import { startTestServer } from "../server/support/server.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Member, TestOrganization } from "../support/organization.ts";

const organization = new TestOrganization();
const folder = temporaryFolder();
let broker: TestBroker;
let servers: ServerHandle[];
let fleet: Fleet;

function configOf(member: Member, name: string): Config {
  const { tokenFile, seedFile } = member.save(folder.file(name));
  return configFrom({
    "plugin.choria.middleware_hosts": broker.address,
    "plugin.choria.discovery.broadcast.windowed_timeout": "true",
    "plugin.security.choria.token_file": tokenFile,
    "plugin.security.choria.seed_file": seedFile,
    "plugin.security.issuer.names": "choria",
    "plugin.security.issuer.choria.public": organization.issuer.publicKey,
    identity: "client.example.net",
  });
}

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  const network = { address: broker.address, organization, file: folder.file };
  await Bun.write(folder.file("facts.json"), '{"country":"mt","memory":{"size":7959}}');
  const facts = { "plugin.yaml": folder.file("facts.json") };
  servers = [await startTestServer(network, "n1.example.net", facts), await startTestServer(network, "n2.example.net")];
  const operator = await organization.client({ callerid: "up=bob", permissions: { fleet_management: true } });
  fleet = await connectFleet(configOf(operator, "operator"));
});

afterAll(async () => {
  await fleet?.close();
  for (const server of servers ?? []) await server.stop();
  await broker?.stop();
  folder[Symbol.dispose]();
});

describe("a client, two servers and a broker with permissions", () => {
  test("ping, discover and call", async () => {
    const both = ["n1.example.net", "n2.example.net"];
    const pings = await Array.fromAsync(fleet.ping({ expect: 2, timeout: 10_000 }));
    expect(pings.map(({ sender }) => sender).sort()).toEqual(both);
    const facts = ["country=mt"];
    expect(await Array.fromAsync(fleet.discover({ filter: { facts } }))).toEqual(["n1.example.net"]);
    const request = fleet.request("rpcutil", "get_fact", { fact: "memory.size" }, { filter: { facts } });
    expect((await request.all()).map(({ data }) => data)).toEqual([{ fact: "memory.size", value: 7959 }]);
    const info = fleet.request("choria_util", "info");
    expect(await info.all()).toHaveLength(2);
    expect(info.summaries.connected_server).toEqual({ [broker.url]: 2 });
  });

  test("know at once that a node is not connected", async () => {
    const start = Date.now();
    const request = fleet.request("rpcutil", "ping", {}, { nodes: ["n1.example.net", "gone.example.net"] });
    expect(await request.all()).toHaveLength(1);
    expect(request.stats.noResponses).toEqual(["gone.example.net"]);
    expect(Date.now() - start).toBeLessThan(2_000);
  });

  test("somebody who may not manage the fleet is told what the broker refuses", async () => {
    const reader = await organization.client({ callerid: "up=reader", permissions: { events_viewer: true } });
    await using own = await connectFleet(configOf(reader, "reader"));
    const text = await own.request("rpcutil", "ping").all().catch(errorText);
    expect(text).toBe("The broker does not let up=reader publish to choria.broadcast.agent.discovery");
  });

  test("somebody of another organization is refused", async () => {
    const stranger = await new TestOrganization().client({
      callerid: "up=eve",
      permissions: { fleet_management: true },
    });
    const text = await connectFleet(configOf(stranger, "stranger")).catch(errorText);
    expect(text).toContain("refuses the login of up=eve");
  });
});
