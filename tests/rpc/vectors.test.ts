import { describe, expect, test } from "bun:test";
import { decodeBase64, encodeBase64, verifySignature } from "../../lib/crypto/mod.ts";
import { decodeRequest, decodeRpcRequest, emptyFilter, encodeRequest } from "../../lib/protocol/mod.ts";
import { AgentHost } from "../../lib/rpc/mod.ts";
import { RequestVerifier } from "../../lib/security/mod.ts";
import { encodeUtf8, silentLogger } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, TokenVerifier } from "../../lib/tokens/mod.ts";
import wire from "../fixtures/server/rpc_request_wire.json";
import messages from "../fixtures/tokens-and-protocol/messages.json";
import { FakeClock } from "../support/clock.ts";
import { agentOf, FakeConnection } from "./support/host.ts";

/** Within the validity of the vectors' requests, by their time. */
const whenMade = new FakeClock(1_704_168_001_000);
/** When the original judged them: a token had expired by then. Validity of requests is judged last, and not here. */
const whenJudged = new FakeClock(Date.UTC(2026, 10, 22));

function startHost(verify: boolean, clock: FakeClock): { host: AgentHost; connection: FakeConnection } {
  const connection = new FakeConnection();
  const trust = { issuers: new Map([[messages.issuer_ou, messages.issuer_public_key]]) };
  const host = new AgentHost({
    connection,
    identity: messages.server_identity,
    collectives: ["choria"],
    agents: ["rpcutil", "discovery", "aaa_signer"].map((name) => agentOf(async () => encodeUtf8("done"), { name })),
    ...(verify ? { verifier: new RequestVerifier(trust, new TokenVerifier(clock)) } : {}),
    matches: () => true,
    clock,
    logger: silentLogger,
  });
  return { host, connection };
}

const requests = messages.requests.map(({ name, layers }) => ({
  name,
  transport: layers.transport_base64,
  verdict: layers.server_verdict,
}));
const negatives = messages.negative_requests.map(({ name, transport_base64, server_verdict }) => ({
  name,
  transport: transport_base64,
  verdict: server_verdict,
}));

describe("a host judges messages as the original's server does", () => {
  for (const { name, transport, verdict } of [...requests, ...negatives]) {
    test(`${name} is ${verdict.accepted ? "accepted" : "refused"}`, async () => {
      const { host } = startHost(true, whenJudged);
      await host.handle(decodeBase64(transport) ?? new Uint8Array());
      expect(host.stats).toMatchObject({
        total: 1,
        invalid: verdict.accepted ? 0 : 1,
        passed: verdict.accepted ? 1 : 0,
      });
    });
  }

  test("a request for the signer is taken by a host that does not verify", async () => {
    const signer = requests.find(({ name }) => name === "aaa_signer_request");
    const { host, connection } = startHost(false, whenMade);
    await host.handle(decodeBase64(signer?.transport ?? "") ?? new Uint8Array());
    expect(host.stats).toMatchObject({ valid: 1, replies: 1 });
    expect(connection.published).toHaveLength(1);
  });
});

describe("requests as they were seen on the wire", () => {
  for (const { subject, inner, payload, secure } of wire) {
    test(`${subject}: ours has the same bytes, as its signature holds for them`, () => {
      const request = encodeRequest({
        message: encodeUtf8(JSON.stringify(payload)),
        id: inner.id,
        sender: inner.sender,
        caller: inner.caller,
        collective: inner.collective,
        agent: inner.agent,
        ttl: inner.ttl,
        time: exactTime(inner.id),
        filter: { ...emptyFilter(), agent: inner.filter.agent },
      });
      const { public_key = "" } = decodeTokenUnverified(secure.caller);
      expect(verifySignature(public_key, request, decodeBase64(secure.signature) ?? new Uint8Array())).toBe(true);
      const decoded = decodeRequest(request);
      expect(encodeBase64(encodeRequest(decoded))).toBe(encodeBase64(request));
      expect(decodeRpcRequest(decoded.message) as unknown).toEqual(payload);
    });
  }
});

/** The times of the fixtures have more digits than JSON modules keep. */
function exactTime(id: string): bigint {
  const times: Record<string, bigint> = {
    "3MRmRKUYGlF5qVyxS4e03o2AZIA": 1795321744471954492n,
    "3MRmRGYNRItOslBlHRuz5En1K2B": 1795321744620060257n,
  };
  return times[id] ?? 0n;
}
