import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { decodeEvent, type LifecycleEvent } from "../../lib/lifecycle/mod.ts";
import { decodeRpcReply, encodeRpcReply } from "../../lib/protocol/mod.ts";
import type { ServerHandle } from "../../lib/server/mod.ts";
import { encodeUtf8, silentLogger, version } from "../../lib/std/mod.ts";
import statusSample from "../fixtures/server/status.json";
import { agentOf } from "../rpc/support/host.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";
import { type Network, serverSettings, startTestServer, TestClient } from "./support/server.ts";

const organization = new TestOrganization();
const folder = temporaryFolder();
let broker: TestBroker;
let network: Network;
let servers: ServerHandle[];
let member: Member;
let client: TestClient;
const events: LifecycleEvent[] = [];

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  network = { address: broker.address, organization, file: folder.file };
  member = await organization.client({
    callerid: "up=bob",
    permissions: { fleet_management: true, events_viewer: true },
    agents: ["rpcutil.ping", "discovery.*"],
  });
  client = await TestClient.connect(network, member);
  client.connection.subscribe("choria.lifecycle.event.>", ({ data }) => {
    const event = decodeEvent(data);
    // The first sign of life comes at once in one of thirty runs.
    if (event.type !== "alive") events.push(event);
  });
  await client.connection.flush();
  writeFileSync(folder.file("facts.json"), '{"country":"mt"}');
  writeFileSync(folder.file("classes.txt"), "apache\n");
  const known = { "plugin.yaml": folder.file("facts.json"), classesfile: folder.file("classes.txt") };
  servers = [await startTestServer(network, "n1.example.net", known), await startTestServer(network, "n2.example.net")];
});

afterAll(async () => {
  await client?.connection.close();
  for (const server of servers ?? []) await server.stop();
  await broker?.stop();
  folder[Symbol.dispose]();
});

/** The events of one node so far. */
const eventsOf = (identity: string) => events.filter((event) => event.identity === identity);

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

  test("answer when a filter means them", async () => {
    const ask = (filter: object) => client.request("discovery", "cGluZw==", { expect: 1, filter });
    const first = [{ sender: "n1.example.net", text: "pong" }];
    expect(await ask({ fact: [{ fact: "country", operator: "==", value: "MT" }] })).toEqual(first);
    expect(await ask({ cf_class: ["apache"] })).toEqual(first);
    expect(await ask({ identity: ["/^n1/"] })).toEqual(first);
    expect(servers[1]?.stats.filtered).toBe(3);
  });

  test("answer when a compound filter means them", async () => {
    const ask = (expr: string) =>
      client.request("discovery", "cGluZw==", { expect: 1, filter: { compound: [[{ expr }]] } });
    const first = [{ sender: "n1.example.net", text: "pong" }];
    expect(await ask("with('country=mt') and with('apache')")).toEqual(first);
    expect(await ask("choria().classes_count == 1 and config_item('identity').value matches '^n1'")).toEqual(first);
    expect(await ask("fact('country') == 'mt' and 'rpcutil' in agents and scout('x').state == nil")).toEqual(first);
  });

  test("tell of their connection, which is the broker's", async () => {
    const { data } = await client.call("n1.example.net", "choria_util", "info");
    expect(data).toMatchObject({
      connected_server: broker.url,
      connector_tls: true,
      middleware_servers: [broker.address],
      choria_version: `choria ${version}`,
    });
  });

  test("announced their start", () => {
    expect(eventsOf("n1.example.net")).toEqual([
      expect.objectContaining({ type: "startup", component: "server", version }),
    ]);
  });
});

describe("a server that stops", () => {
  test("says so before it leaves, and stopping again changes nothing", async () => {
    const server = await startTestServer(network, "leaving.example.net");
    await server.stop();
    await server.stop();
    await waitFor("the shutdown event", () => eventsOf("leaving.example.net").length === 2);
    expect(eventsOf("leaving.example.net").map(({ type }) => type)).toEqual(["startup", "shutdown"]);
    expect(server.connection.nats.isClosed()).toBe(true);
  });

  test("says nothing when it is told to be quiet", async () => {
    const server = await startTestServer(network, "quiet.example.net");
    await server.stop({ quiet: true });
    await client.connection.flush();
    expect(eventsOf("quiet.example.net").map(({ type }) => type)).toEqual(["startup"]);
  });

  test("lets a running call finish", async () => {
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const slow = agentOf(async () => {
      started.resolve();
      await finish.promise;
      return encodeRpcReply({ action: "run", statuscode: 0, statusmsg: "OK", data: { done: true } });
    });
    const server = await startTestServer(network, "busy.example.net", {}, { agents: () => [slow] });
    const reply = client.call("busy.example.net", "probe", "run");
    await started.promise;
    const stopped = server.stop();
    finish.resolve();
    await stopped;
    expect(await reply).toMatchObject({ data: { done: true } });
  });

  test("gives up on a call that does not finish within soft_shutdown_timeout", async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const stuck = agentOf((_message, signal) => {
      started.resolve(signal);
      return new Promise(() => undefined);
    });
    const settings = { soft_shutdown_timeout: "1" };
    const server = await startTestServer(network, "stuck.example.net", settings, { agents: () => [stuck] });
    client.call("stuck.example.net", "probe", "run").catch(() => undefined);
    const signal = await started.promise;
    await server.stop();
    expect(signal.aborted).toBe(true);
  });
});

describe("calls", () => {
  test("are authorized by the caller's token", async () => {
    const settings = { rpcauthorization: "1", rpcauthprovider: "aaasvc" };
    await using server = await startTestServer(network, "strict.example.net", settings);
    expect(await client.call(server.identity, "rpcutil", "ping")).toMatchObject({ statuscode: 0 });
    const refused = await client.call(server.identity, "rpcutil", "inventory");
    expect(refused.statuscode).toBe(1);
    expect(refused.statusmsg).toStartWith("You are not authorized to call this agent or action");
    expect(await client.call(server.identity, "rpcutil", "nope")).toMatchObject({
      statuscode: 2,
      statusmsg: "Unknown action nope for agent rpcutil",
    });
  });

  test("are audited when they are authorized and known", async () => {
    const file = folder.file("audit.log");
    const settings = {
      rpcaudit: "1",
      "plugin.rpcaudit.logfile": file,
      rpcauthorization: "1",
      rpcauthprovider: "aaasvc",
    };
    await using server = await startTestServer(network, "audited.example.net", settings);
    await client.call(server.identity, "rpcutil", "ping");
    await client.call(server.identity, "rpcutil", "inventory");
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ caller: "up=bob", agent: "rpcutil", action: "ping", data: {} });
  });

  test("that take too long are answered with status 5", async () => {
    const slow = agentOf(() => new Promise(() => undefined), { timeout: 1 });
    await using server = await startTestServer(network, "slow.example.net", {}, { agents: () => [slow] });
    expect(await client.call(server.identity, "probe", "run")).toMatchObject({
      statuscode: 5,
      statusmsg: "probe#run timed out after 1s",
    });
  });

  test("whose reply is larger than the broker takes are answered with an error that says so", async () => {
    const big = agentOf(async () => encodeUtf8(JSON.stringify({ data: "x".repeat(2_000_000) })));
    await using server = await startTestServer(network, "big.example.net", {}, { agents: () => [big] });
    const reply = await client.call(server.identity, "probe", "run");
    expect(reply.statuscode).toBe(5);
    expect(reply.statusmsg).toBe("probe#run gave a reply of 2000011 bytes, which cannot be sent");
  });
});

describe("service agents", () => {
  const registry = () =>
    agentOf(async () => encodeRpcReply({ action: "run", statuscode: 0, statusmsg: "OK", data: {} }), {
      name: "probe_service",
      service: true,
    });

  test("answer a request once among all hosts", async () => {
    await using one = await startTestServer(network, "s1.example.net", {}, { agents: () => [registry()] });
    await using two = await startTestServer(network, "s2.example.net", {}, { agents: () => [registry()] });
    const payload = JSON.stringify({ agent: "probe_service", action: "run", data: {} });
    for (let i = 0; i < 5; i++) await client.request("probe_service", payload, { expect: 1, service: true });
    expect(one.stats.replies + two.stats.replies).toBe(5);
  });

  test("are all that a service host has, and it does not answer on the node's subject", async () => {
    const options = { serviceHost: true, agents: () => [registry(), agentOf(async () => undefined)] };
    await using server = await startTestServer(network, "host.example.net", {}, options);
    expect(server.host.agents().map(({ name }) => name)).toEqual(["probe_service"]);
    await waitFor("its start", () => eventsOf("host.example.net").length === 1);
    expect(eventsOf("host.example.net")[0]).toMatchObject({ type: "startup", component: "service_host" });
    const direct = client.request("probe_service", "{}", { expect: 1, to: server.identity, timeout: 200 });
    await expect(direct).rejects.toThrow("in vain");
  });
});

describe("the status file", () => {
  test("has the keys of the original's in its order, and is readable for all", async () => {
    const file = folder.file("status.json");
    const settings = { "plugin.choria.status_file_path": file };
    await using server = await startTestServer(network, "status.example.net", settings);
    const status = JSON.parse(readFileSync(file, "utf8"));
    expect(Object.keys(status)).toEqual(Object.keys(statusSample));
    expect(Object.keys(status.stats)).toEqual(Object.keys(statusSample.stats));
    expect(status).toMatchObject({ identity: server.identity, connected_server: broker.url, last_message: 0 });
    expect(status.certificate_expires).toBe(statusSample.certificate_expires);
    expect(Date.parse(status.token_expires)).toBeGreaterThan(Date.now());
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  test("is written again at its interval", async () => {
    const file = folder.file("status2.json");
    const settings = { "plugin.choria.status_file_path": file, "plugin.choria.status_update_interval": "1" };
    await using server = await startTestServer(network, "status2.example.net", settings);
    await client.call(server.identity, "rpcutil", "ping");
    const lastMessage = () => JSON.parse(readFileSync(file, "utf8")).last_message;
    await waitFor("the status to show the message", () => lastMessage() > 0);
  });
});

describe("metrics", () => {
  test("are served where a port is configured", async () => {
    const settings = { "plugin.choria.stats_port": String(await freePort()) };
    await using server = await startTestServer(network, "metrics.example.net", settings);
    await client.call(server.identity, "rpcutil", "ping");
    const url = `http://127.0.0.1:${server.statsPort}`;
    for (const path of ["/metrics", "/choria/metrics", "/choria/prometheus"]) {
      const text = await (await fetch(url + path)).text();
      expect(text).toContain('choria_server_total{identity="metrics.example.net"} 1');
      expect(text).toContain('choria_server_replies{identity="metrics.example.net"} 1');
      expect(text).toContain("# TYPE choria_server_validated counter");
    }
    expect(await (await fetch(`${url}/choria/`)).json()).toMatchObject({ identity: "metrics.example.net" });
    expect((await fetch(`${url}/choria/`, { method: "POST" })).status).toBe(405);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  test("open no port otherwise", () => {
    expect(servers[0]?.statsPort).toBeUndefined();
  });

  test("are written as a file where a folder is configured", async () => {
    const settings = { "plugin.choria.prometheus_textfile_directory": folder.path };
    await using _server = await startTestServer(network, "textfile.example.net", settings);
    const read = () => Bun.file(folder.file("choria_server.prom")).text();
    await waitFor("the file", () => Bun.file(folder.file("choria_server.prom")).exists());
    expect(await read()).toContain('choria_server_total{identity="textfile.example.net"} 0');
  });

  test("that cannot be served do not keep the server from starting", async () => {
    using taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const settings = { "plugin.choria.stats_port": String(taken.port) };
    await using server = await startTestServer(network, "taken.example.net", settings);
    expect(server.statsPort).toBeUndefined();
  });
});

describe("a server does not start", () => {
  test("under a name that is not its token's", async () => {
    const settings = { ...(await serverSettings(network, "mine.example.net")), identity: "other.example.net" };
    const start = startTestServer(network, "mine.example.net", settings);
    await expect(start).rejects.toThrow(
      "identity other.example.net does not match caller mine.example.net in JWT token",
    );
  });

  test("with a client's token", async () => {
    const files = member.save(folder.file("client"));
    const start = startTestServer(network, "n3.example.net", {
      "plugin.security.choria.token_file": files.tokenFile,
      "plugin.security.choria.seed_file": files.seedFile,
    });
    await expect(start).rejects.toThrow("not a server token");
  });

  test("without issuers or a token", async () => {
    const start = startTestServer(network, "n3.example.net", {
      "plugin.security.choria.token_file": "",
      "plugin.security.issuer.names": "",
    });
    await expect(start).rejects.toThrow(
      "security setup is not valid, 2 errors encountered: the path to the JWT token is not configured, " +
        "no trusted token signers or issuers configured",
    );
  });
});

test("events are plain where the older format is configured", async () => {
  const bodies: string[] = [];
  const subject = "choria.lifecycle.event.startup.server";
  const subscription = client.connection.subscribe(subject, (message) => void bodies.push(message.string()));
  await client.connection.flush();
  const settings = { "plugin.choria.legacy_lifecycle_format": "1" };
  await using _server = await startTestServer(network, "legacy.example.net", settings, { logger: silentLogger });
  await waitFor("the event", () => bodies.length === 1);
  subscription.unsubscribe();
  expect(bodies[0]).toStartWith('{"protocol":"io.choria.lifecycle.v1.startup"');
});

test("what a caller cannot parse as an RPC reply is never sent by the server's own agents", async () => {
  for (const payload of ["{}", "[]", "x", '{"agent":"rpcutil"}', '{"agent":"rpcutil","action":"ping","data":[]}']) {
    const [answer] = await client.request("rpcutil", payload, { expect: 1, to: "n1.example.net" });
    const reply = decodeRpcReply(encodeUtf8(answer?.text ?? ""));
    expect(reply.statuscode).toBe(4);
    expect(reply.statusmsg).toStartWith("Could not process request: could not parse incoming message as a MCollective");
  }
});
