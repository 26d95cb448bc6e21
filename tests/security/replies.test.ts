import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeBase64, sha256 } from "../../lib/crypto/mod.ts";
import {
  decodeSecureReply,
  decodeTransport,
  encodeReply,
  encodeSecureReply,
  ProtocolError,
  type SecureReply,
} from "../../lib/protocol/mod.ts";
import { ReplyVerifier, SecurityError, signReply, type Trust } from "../../lib/security/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { TokenVerifier } from "../../lib/tokens/mod.ts";
import captured from "../fixtures/tokens-and-protocol/messages.json";
import { FakeClock } from "../support/clock.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { now, thrownBy } from "../tokens/_vectors.ts";

const trust: Trust = { issuers: new Map([[captured.issuer_ou, captured.issuer_public_key]]) };
const isOurs = (error: unknown) => error instanceof SecurityError || error instanceof ProtocolError;

async function judge(transportBase64: string, acceptUnverified: boolean) {
  const transport = decodeTransport(decodeBase64(transportBase64) ?? new Uint8Array());
  const verifier = new ReplyVerifier(trust, new TokenVerifier(new FakeClock(now)), { acceptUnverified });
  return verifier.verify(decodeSecureReply(transport.data));
}

/** Replies that the original client takes and ours does not. */
const stricter: Readonly<Record<string, string>> = {
  unsigned_reply: "it is not signed",
  reply_bad_signature: "its signature does not hold",
  reply_rogue_sender_token: "token signature is invalid",
};

describe.each(captured.replies.map((reply) => [reply.name, reply] as const))("the captured %s", (name, reply) => {
  const { accepted } = reply.client_verdict;
  const reason = stricter[name];

  test(`is ${accepted && !reason ? "believed" : `not believed${reason ? `, unlike by the original: ${reason}` : ""}`}`, async () => {
    const error = await thrownBy(() => judge(reply.transport_base64, false));
    expect(error === undefined).toBe(accepted && reason === undefined);
    if (error === undefined) return;
    expect(isOurs(error)).toBe(true);
    if (reason !== undefined) expect(String(error)).toContain(reason);
  });

  test("is judged as the original judges it where unverified replies are accepted", async () => {
    const error = await thrownBy(() => judge(reply.transport_base64, true));
    expect(error === undefined).toBe(accepted);
    expect(error === undefined || isOurs(error)).toBe(true);
  });
});

describe("ReplyVerifier", () => {
  const organization = new TestOrganization();
  const clock = new FakeClock(organization.now);
  const verifier = new ReplyVerifier({ issuers: organization.issuers }, new TokenVerifier(clock));
  const server = { identity: "node1", collectives: ["choria"] };

  function replyOf(sender: string, request = "req1"): Uint8Array {
    return encodeReply({ message: encodeUtf8("{}"), request, sender, agent: "rpcutil", time: 1n });
  }

  function signed(member: Member, sender = "node1"): SecureReply {
    return signReply(replyOf(sender), member);
  }

  test("believes a server of the organization, and one that a chain issuer provisioned", async () => {
    for (const member of [
      await organization.server(server),
      await organization.server(server, { by: await organization.chainIssuer("provisioner") }),
    ]) {
      const reply = await verifier.verify(decodeSecureReply(encodeSecureReply(signed(member))), "req1");
      expect(reply).toMatchObject({ sender: "node1", request: "req1" });
    }
  });

  test("does not believe a server that answers for another, or another request", async () => {
    const member = await organization.server(server);
    expect(String(await thrownBy(() => verifier.verify(signed(member, "node2"))))).toContain(
      "its sender is not the holder of the token",
    );
    expect(String(await thrownBy(() => verifier.verify(signed(member), "req2")))).toContain(
      "it answers another request",
    );
  });

  test("does not believe a client's token, an expired one or another organization's", async () => {
    const other = new TestOrganization(organization.now);
    for (const member of [
      await organization.client({ callerid: "node1" }),
      await organization.server(server, { now: organization.now - 7_200_000, validity: 3_600_000 }),
      await other.server(server),
      await other.server(server, { by: await other.chainIssuer("provisioner") }),
    ]) {
      expect(await thrownBy(() => verifier.verify(signed(member)))).toBeInstanceOf(SecurityError);
    }
  });

  test("does not believe a reply in which anything was changed", async () => {
    const secure = signed(await organization.server(server));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("reply", "hash", "signature"),
        fc.nat(),
        fc.boolean(),
        async (part, at, rehash) => {
          const bytes = new Uint8Array(secure[part as "reply"]);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ (1 << (at % 8));
          const changed = { ...secure, [part]: bytes };
          if (rehash && part === "reply") changed.hash = sha256(bytes);
          expect(isOurs(await thrownBy(() => verifier.verify(changed)))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("of a client that knows no issuer still looks at sender, signature and chain", async () => {
    const alone = new ReplyVerifier({ issuers: new Map() }, new TokenVerifier(clock));
    const by = await organization.chainIssuer("provisioner");
    const member = await organization.server(server, { by });
    expect((await alone.verify(signed(member), "req1")).sender).toBe("node1");
    const other = await organization.server(server);
    for (const secure of [
      signed(member, "node2"),
      { ...signed(member), signature: other.key.sign(replyOf("node1")) },
      { ...signed(member), sender: `${member.token.slice(0, -10)}AAAAAAAAAA` },
      signReply(replyOf("node1")),
    ]) {
      expect(isOurs(await thrownBy(() => alone.verify(secure)))).toBe(true);
    }
  });
});
