import { describe, expect, test } from "bun:test";
import { connectFleet } from "../../lib/client/mod.ts";
import { errorText } from "../../lib/std/mod.ts";
import { freePort } from "../support/ports.ts";
import { testNetwork } from "./support/network.ts";

const users = `authorization { users: [
  { user: "node", password: "x" }
  { user: "free", password: "x" }
  { user: "bound", password: "x", permissions: { publish: { deny: ["choria.node.>", "choria.broadcast.>"] } } }
  { user: "deaf", password: "x", permissions: { subscribe: { deny: ["choria.reply.>"] } } }
] }`;

describe("connecting", () => {
  test("to a broker that is not there ends after a few attempts, naming it", async () => {
    await using network = await testNetwork(0);
    const port = await freePort();
    const config = network.config({ "plugin.choria.middleware_hosts": `nats://127.0.0.1:${port}` });
    const text = await connectFleet(config, { tls: false, attempts: 2 }).catch(errorText);
    expect(text).toStartWith(`Cannot connect to the broker 127.0.0.1:${port}: `);
  });

  test("is called off by its signal", async () => {
    await using network = await testNetwork(0);
    const config = network.config({ "plugin.choria.middleware_hosts": `127.0.0.1:${await freePort()}` });
    const signal = AbortSignal.timeout(100);
    const text = await connectFleet(config, { tls: false, attempts: 1_000, signal }).catch(errorText);
    expect(text).toContain("timed out");
  });

  test("with a login that the broker refuses is not tried again", async () => {
    await using network = await testNetwork(0, { nats: users });
    const start = Date.now();
    const text = await connectFleet(network.config(), { tls: false }).catch(errorText);
    expect(text).toContain("refuses the login of up=test: Authorization Violation");
    expect(Date.now() - start).toBeLessThan(2_000);
  });

  test("without a token, with another's key or after its end says so before anything is sent", async () => {
    await using network = await testNetwork(0);
    const missing = network.config({ "plugin.security.choria.token_file": "/nowhere/client.jwt" });
    await expect(connectFleet(missing, { tls: false })).rejects.toThrow("could not read token file");
    const stranger = await network.organization.client({ callerid: "up=other", permissions: {} });
    const { seedFile } = stranger.save(network.file("other"));
    const mixed = network.config({ "plugin.security.choria.seed_file": seedFile });
    await expect(connectFleet(mixed, { tls: false })).rejects.toThrow("does not belong to the token");
  });
});

describe("a broker that refuses", () => {
  test("what a client sends ends the request with the subject", async () => {
    await using network = await testNetwork(0, { nats: users });
    const login = { "plugin.nats.user": "bound", "plugin.nats.pass": "x" };
    await using fleet = await connectFleet(network.config(login), { tls: false });
    const discovery = await fleet.request("rpcutil", "ping").all().catch(errorText);
    expect(discovery).toBe("The broker does not let up=test publish to choria.broadcast.agent.discovery");
    const direct = await fleet
      .request("rpcutil", "ping", {}, { nodes: ["n1"] })
      .all()
      .catch(errorText);
    expect(direct).toBe("The broker does not let up=test publish to choria.node.n1");
    const ping = await Array.fromAsync(fleet.ping()).catch(errorText);
    expect(ping).toBe("The broker does not let up=test publish to choria.broadcast.agent.discovery");
  });

  test("that a client listens ends the request with the subject", async () => {
    await using network = await testNetwork(0, { nats: users });
    const login = { "plugin.nats.user": "deaf", "plugin.nats.pass": "x" };
    await using fleet = await connectFleet(network.config(login), { tls: false });
    const text = await fleet
      .request("rpcutil", "ping", {}, { nodes: ["n1"] })
      .all()
      .catch(errorText);
    expect(text).toStartWith("The broker does not let up=test subscribe to choria.reply.");
  });
});

describe("a fleet", () => {
  test("demands a filter where the configuration does", async () => {
    await using network = await testNetwork(1);
    const config = network.config({ "plugin.choria.require_client_filter": "true" });
    await using fleet = await connectFleet(config, { tls: false });
    const text = "cannot create a Request Transport, requests without filters have been disabled";
    await expect(Array.fromAsync(fleet.ping())).rejects.toThrow(text);
    expect(await Array.fromAsync(fleet.ping({ filter: { identities: ["/^n1/"] }, expect: 1 }))).toHaveLength(1);
  });

  test("that is closed ends what runs", async () => {
    await using network = await testNetwork(1);
    const fleet = await connectFleet(network.config(), { tls: false });
    const ping = Array.fromAsync(fleet.ping({ timeout: 60_000 }));
    const ended = ping.catch(errorText);
    await fleet.close();
    expect(await ended).toBe("The connection to the network was closed");
    await fleet.close();
  });

  test("pings: every node once, with its time, ending early unless a timeout is given", async () => {
    await using network = await testNetwork(3);
    await using fleet = await connectFleet(network.config(), { tls: false });
    const start = Date.now();
    const replies = await Array.fromAsync(fleet.ping());
    expect(replies.map(({ sender }) => sender).sort()).toEqual(network.nodes.map(({ identity }) => identity));
    expect(replies.every(({ time }) => time >= 0 && time < 1_000)).toBe(true);
    expect(Date.now() - start).toBeLessThan(1_500);
    expect(await Array.fromAsync(fleet.ping({ expect: 2 }))).toHaveLength(2);
    const whole = Date.now();
    await Array.fromAsync(fleet.ping({ timeout: 600 }));
    expect(Date.now() - whole).toBeGreaterThanOrEqual(599);
  });

  test("pings an empty network without waiting", async () => {
    await using network = await testNetwork(0);
    await using fleet = await connectFleet(network.config(), { tls: false });
    const start = Date.now();
    expect(await Array.fromAsync(fleet.ping())).toEqual([]);
    expect(Date.now() - start).toBeLessThan(1_000);
  });
});
