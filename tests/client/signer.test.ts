import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectFleet } from "../../lib/client/mod.ts";
import { builtinDdl } from "../../lib/ddl/mod.ts";
import { encodeSecureRequest } from "../../lib/protocol/mod.ts";
import { type Action, ActionError, AgentHost, rpcAgent } from "../../lib/rpc/mod.ts";
import { decodeUtf8, encodeUtf8, errorText, type JsonObject, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { readTokenFile } from "../../lib/tokens/mod.ts";
import type { Member } from "../support/organization.ts";
import { type TestNetwork, testNetwork } from "./support/network.ts";

let network: TestNetwork;
let delegate: Member;

beforeAll(async () => {
  network = await testNetwork(2, { permissions: { signed_fleet_management: true } });
  delegate = await network.organization.client({
    callerid: "aaa_request_signer",
    permissions: { authentication_delegator: true },
  });
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

/** What a signing service makes of a request that it allows. */
function signedBy(member: Member, request: string): Uint8Array {
  const bytes = encodeUtf8(request);
  const { token } = member;
  return encodeSecureRequest({ request: bytes, signature: member.key.sign(bytes), caller: token, signer: token });
}

/** Host the service until disposed; gives the inputs of its calls. */
async function hostSigner(sign: Action): Promise<AsyncDisposable & { inputs: JsonObject[] }> {
  const connection = await network.connect();
  const server = await network.organization.server({ identity: "aaa.example.net", collectives: ["choria"] });
  const ddl = builtinDdl("aaa_signer");
  if (ddl === undefined) throw new Error("there is no aaa_signer");
  const inputs: JsonObject[] = [];
  const action: Action = (data, context) => {
    inputs.push(data);
    return sign(data, context);
  };
  const host = new AgentHost({
    connection,
    identity: "aaa.example.net",
    collectives: ["choria"],
    agents: [rpcAgent(ddl.metadata, { sign: action }, { logger: silentLogger })],
    serviceOnly: true,
    credentials: () => server,
    clock: systemClock,
    logger: silentLogger,
  });
  await connection.flush();
  return {
    inputs,
    async [Symbol.asyncDispose]() {
      await host.stop();
      // Once the broker has seen the end of the subscription, nobody is asked any more.
      await connection.flush();
    },
  };
}

const byService = { "plugin.choria.security.request_signer.service": "true" };

describe("requests signed by the AAA service", () => {
  test("carry the delegate's signature and the caller's token, one call of the service each", async () => {
    const sign: Action = ({ request }) => ({ secure_request: decodeUtf8(signedBy(delegate, String(request))) });
    await using signer = await hostSigner(sign);
    await using fleet = await connectFleet(network.config(byService), { tls: false });
    expect(await fleet.request("rpcutil", "ping").all()).toHaveLength(2);
    expect(signer.inputs.map(({ request }) => JSON.parse(String(request)).agent)).toEqual(["discovery", "rpcutil"]);
    const [first] = signer.inputs;
    expect(first?.token).toBe(network.client.token);
    expect(first?.signature).toMatch(/^[0-9a-f]{128}$/);
  });

  test("are signed anew for each batch, under one id", async () => {
    const sign: Action = ({ request }) => ({ secure_request: decodeUtf8(signedBy(delegate, String(request))) });
    await using signer = await hostSigner(sign);
    await using fleet = await connectFleet(network.config(byService), { tls: false });
    const nodes = network.nodes.map(({ identity }) => identity);
    await fleet.request("rpcutil", "ping", {}, { nodes, batch: 1, batchSleep: 5 }).all();
    const requests = signer.inputs.map(({ request }) => JSON.parse(String(request)));
    expect(requests).toHaveLength(2);
    expect(new Set(requests.map(({ id }) => id)).size).toBe(1);
    expect(new Set(requests.map(({ time }) => time)).size).toBe(2);
  });

  test("that a policy refuses fail with its reason", async () => {
    await using _signer = await hostSigner(() => {
      throw new ActionError("Request Denied: allow is false for up=test", { data: { secure_request: "" } });
    });
    await using fleet = await connectFleet(network.config(byService), { tls: false });
    const text = await fleet.request("rpcutil", "ping").all().catch(errorText);
    expect(text).toBe("signing failed: Request Denied: allow is false for up=test");
  });

  test("fail at once when no service is there", async () => {
    await using fleet = await connectFleet(network.config(byService), { tls: false });
    const start = Date.now();
    const text = await fleet.request("rpcutil", "ping").all().catch(errorText);
    expect(text).toBe("expected 1 response received 0: no AAA service is connected");
    expect(Date.now() - start).toBeLessThan(1_000);
  });

  test("without a signer's token, or with something else than a request, are not sent", async () => {
    const answers = ["{}", '{"protocol":"io.choria.protocol.v2.secure_request"}', 7, undefined];
    for (const answer of answers) {
      await using _signer = await hostSigner(() => ({ secure_request: answer }));
      await using fleet = await connectFleet(network.config(byService), { tls: false });
      const text = await fleet.request("rpcutil", "ping").all().catch(errorText);
      expect(text).toMatch(/^(signing failed|Cannot read the SecureRequest)/);
    }
    const own = ({ request }: JsonObject) => {
      const bytes = encodeUtf8(String(request));
      const signature = delegate.key.sign(bytes);
      return { secure_request: decodeUtf8(encodeSecureRequest({ request: bytes, signature, caller: delegate.token })) };
    };
    await using _signer = await hostSigner(own);
    await using fleet = await connectFleet(network.config(byService), { tls: false });
    const text = await fleet.request("rpcutil", "ping").all().catch(errorText);
    expect(text).toBe("remote signer did not set a signer JWT");
  });
});

describe("requests signed over HTTP", () => {
  test("go to the URL of the configuration", async () => {
    await using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        const body = (await request.json()) as { request: string; token: string };
        expect(body.token).toBe(readTokenFile(network.config().get("plugin.security.choria.token_file")));
        const text = Buffer.from(body.request, "base64").toString();
        return Response.json({ secure_request: Buffer.from(signedBy(delegate, text)).toString("base64") });
      },
    });
    const url = `http://127.0.0.1:${server.port}/choria/v1/sign`;
    const config = network.config({ "plugin.choria.security.request_signer.url": url });
    await using fleet = await connectFleet(config, { tls: false });
    expect(await fleet.request("rpcutil", "ping").all()).toHaveLength(2);
  });
});
