import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { configFrom } from "../../lib/config/mod.ts";
import { connectBroker } from "../../lib/connector/mod.ts";
import { startEmulator } from "../../lib/emulator/mod.ts";
import {
  decodeSecureReply,
  decodeTransport,
  emptyFilter,
  encodeRequest,
  encodeRpcRequest,
  encodeSecureRequest,
  encodeTransport,
  newRequest,
  subjects,
} from "../../lib/protocol/mod.ts";
import { ReplyVerifier, signRequest } from "../../lib/security/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, keySigner, TokenVerifier } from "../../lib/tokens/mod.ts";
import type { Member } from "../support/organization.ts";
import { type ProvisioningNetwork, startProvisioningNetwork } from "../support/provisioning.ts";
import { waitFor } from "../support/wait.ts";

let network: ProvisioningNetwork;

beforeAll(async () => {
  network = await startProvisioningNetwork();
});
afterAll(() => network[Symbol.asyncDispose]());

function provisionedNodes() {
  const config = configFrom({
    collectives: "choria",
    rpcauthorization: "0",
    "plugin.choria.middleware_hosts": network.broker.url,
    "plugin.security.issuer.names": "choria",
    "plugin.security.issuer.choria.public": network.organization.issuer.publicKey,
  });
  return { config, issuer: keySigner(network.organization.issuer) };
}

describe("the emulator", () => {
  test("runs nodes that are provisioned, with tokens of their own and signed replies", async () => {
    await using emulator = await startEmulator({
      count: 10,
      namePrefix: "p",
      provisioned: provisionedNodes(),
      logger: silentLogger,
    });
    await emulator.started;
    expect(emulator.counts).toMatchObject({ provisioned: 10, unprovisioned: 0, stopped: 0 });
    const caller = await network.organization.client({ callerid: "up=bob", permissions: { fleet_management: true } });
    const connection = await connectBroker({
      servers: [network.broker.address],
      name: "bob",
      login: () => ({ token: caller.token, key: caller.key }),
      inboxPrefix: subjects.inbox("choria", "up=bob"),
      logger: silentLogger,
    });
    const verifier = new ReplyVerifier({ issuers: network.organization.issuers }, new TokenVerifier(systemClock));
    const senders = new Set<string>();
    connection.subscribe(`${subjects.inbox("choria", "up=bob")}.*`, async ({ data }) => {
      senders.add((await verifier.verify(decodeSecureReply(decodeTransport(data).data))).sender);
    });
    await connection.flush();
    connection.publish(subjects.broadcast("choria", "rpcutil"), await ping(caller));
    await waitFor("all replies", () => senders.size === 10);
    await connection.close();
  });

  test("opens connections no faster than it may, and shares them where it may", async () => {
    const started = Date.now();
    await using emulator = await startEmulator({
      count: 20,
      namePrefix: "u",
      provisioningToken: network.provisioningToken,
      nodesPerConnection: 5,
      connectionsPerSecond: 10,
      logger: silentLogger,
    });
    await emulator.started;
    expect(Date.now() - started).toBeGreaterThanOrEqual(300);
    expect(emulator.counts.unprovisioned).toBe(20);
    await emulator.stop();
    expect(emulator.counts).toMatchObject({ unprovisioned: 0, stopped: 20 });
  });

  test("needs to know what to emulate", async () => {
    await expect(startEmulator({ count: 1, logger: silentLogger })).rejects.toThrow("neither a provisioning token nor");
  });
});

/** A signed request for every node. */
async function ping({ token, key }: Member): Promise<Uint8Array> {
  const request = newRequest({
    message: encodeRpcRequest({ agent: "rpcutil", action: "ping", data: {} }),
    sender: "bob",
    caller: "up=bob",
    collective: "choria",
    agent: "rpcutil",
    ttl: 60,
    filter: emptyFilter(),
  });
  const secure = await signRequest(encodeRequest(request), request, {
    token,
    key,
    claims: decodeTokenUnverified(token),
    holder: "up=bob",
  });
  return encodeTransport({
    data: encodeSecureRequest(secure),
    sender: "bob",
    reply: subjects.reply("choria", "up=bob", request.id),
  });
}
