import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { startTestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";
import { type Network, startTestServer, TestClient } from "./support/server.ts";

test("a server survives its broker, and comes back with the token that is on disk then", async () => {
  using folder = temporaryFolder();
  const port = await freePort();
  const settings = { "plugin.choria.network.client_port": String(port) };
  const organization = new TestOrganization();
  const network: Network = { address: `127.0.0.1:${port}`, organization, file: folder.file };
  const member = await organization.client({ callerid: "up=bob", permissions: { fleet_management: true } });

  const first = await startTestBroker({ organization, settings });
  const file = folder.file("status.json");
  await using server = await startTestServer(network, "n1.example.net", { "plugin.choria.status_file_path": file });
  const told = () => JSON.parse(readFileSync(file, "utf8")).connected_server;
  expect(told()).toBe(first.url);
  {
    await using client = await TestClient.connect(network, member);
    expect(await client.call("n1.example.net", "rpcutil", "ping")).toMatchObject({ statuscode: 0 });
  }
  await first.stop();
  await waitFor("the server to notice", () => server.connection.server === "");
  // The file's own interval is half a minute.
  await waitFor("the status file to say so", () => told() === "");

  // The next broker belongs to others, whose tokens alone it takes.
  const others = new TestOrganization();
  await using second = await startTestBroker({ organization: others, settings });
  expect(server.connection.server).toBe("");
  const renewed = await others.server({ identity: "n1.example.net", collectives: ["choria"], permissions: {} });
  renewed.save(folder.file("n1.example.net"));
  await waitFor("the server to come back", () => server.connection.server === second.url, 20_000);
  expect(server.node.reconnects).toBe(1);
  await waitFor("the status file to say so again", () => told() === second.url);
}, 30_000);

test("a server waits for a broker that is not there yet", async () => {
  using folder = temporaryFolder();
  const port = await freePort();
  const organization = new TestOrganization();
  const network: Network = { address: `127.0.0.1:${port}`, organization, file: folder.file };
  const starting = startTestServer(network, "n1.example.net");
  await using broker = await startTestBroker({
    organization,
    settings: { "plugin.choria.network.client_port": String(port) },
  });
  await using server = await starting;
  expect(server.connection.server).toBe(broker.url);
}, 30_000);

test("a server that is called off while it waits gives up", async () => {
  using folder = temporaryFolder();
  const organization = new TestOrganization();
  const network: Network = { address: `127.0.0.1:${await freePort()}`, organization, file: folder.file };
  const controller = new AbortController();
  const starting = startTestServer(network, "n1.example.net", {}, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error("called off")), 20);
  await expect(starting).rejects.toThrow("called off");
});
