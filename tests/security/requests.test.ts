import { describe, expect, test } from "bun:test";
import { decodeBase64, generateKey } from "../../lib/crypto/mod.ts";
import {
  decodeSecureRequest,
  decodeTransport,
  emptyFilter,
  encodeRequest,
  newRequest,
  ProtocolError,
  type SecureRequest,
} from "../../lib/protocol/mod.ts";
import { type Credentials, RequestVerifier, SecurityError, signRequest } from "../../lib/security/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, isTokenError, TokenVerifier } from "../../lib/tokens/mod.ts";
import captured from "../fixtures/tokens-and-protocol/messages.json";
import { FakeClock } from "../support/clock.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { keyNamed, now, thrownBy, tokenNamed } from "../tokens/_vectors.ts";

const verifier = new RequestVerifier(
  { issuers: new Map([[captured.issuer_ou, captured.issuer_public_key]]) },
  new TokenVerifier(new FakeClock(now)),
);

async function judge(transportBase64: string) {
  const transport = decodeTransport(decodeBase64(transportBase64) ?? new Uint8Array());
  return verifier.verify(decodeSecureRequest(transport.data));
}

const isOurs = (error: unknown) =>
  error instanceof SecurityError || error instanceof ProtocolError || isTokenError(error);

describe("RequestVerifier", () => {
  test.each(captured.requests.map((request) => [request.name, request] as const))(
    "judges the captured %s as the original does",
    async (_name, { layers }) => {
      const { accepted } = layers.server_verdict;
      if (!accepted) return expect(isOurs(await thrownBy(() => judge(layers.transport_base64)))).toBe(true);
      const { request } = await judge(layers.transport_base64);
      expect(request.id).toBe(layers.server_verdict.request_id ?? "");
      expect(request.caller).toBe(layers.server_verdict.caller ?? "");
    },
  );

  /** What the error says, where it matters who is at fault. */
  const reasons: Readonly<Record<string, string>> = {
    bad_signature: "invalid request signature",
    tampered_request: "invalid request signature",
    caller_mismatch: "caller name does not match token",
    signed_fleet_without_signer: "access denied: requires authority delegation",
    signer_without_delegator_permission: "does not have delegation permission",
    signer_is_server_token: "not a client token",
    delegated_signed_by_caller_key: "invalid request signature",
    delegated_caller_without_fleet: "does not have fleet management access",
    delegated_caller_of_rogue_chain: "chain issuer credentials not signed by org issuer",
    as_returned_by_signer_unmodified: "does not have fleet management access",
    server_token_as_caller: "not a client token",
    expired_token: "token is expired",
    no_ou: "no ou found in client token",
    other_ou: "no issuer found for other ou",
    rogue_token: "token signature is invalid: ed25519: verification error",
    provisioning_token_as_caller: "not a client token",
    insecure_signature_other_agent: "invalid request signature",
    empty_caller: "/caller: length must be >= 1, but got 0",
    wrong_secure_protocol_string: 'expected the protocol "io.choria.protocol.v2.secure_request"',
    request_ttl_zero: "/ttl: ",
    request_time_zero: "/time: ",
    request_empty_agent: "/agent: length must be >= 1, but got 0",
    request_filter_without_compound: "/filter/compound: expected an array",
    request_wrong_protocol: 'expected the protocol "io.choria.protocol.v2.request"',
    request_ttl_string: "/ttl: ",
    request_filter_null_lists: "/filter/fact: expected an array",
    transport_wrong_protocol: 'expected the protocol "io.choria.protocol.v2.transport"',
    transport_not_json: "Cannot read the transport message",
  };

  test.each(captured.negative_requests.map((request) => [request.name, request] as const))(
    "judges the captured %s as the original does, and says why",
    async (name, { transport_base64, server_verdict }) => {
      const error = await thrownBy(() => judge(transport_base64));
      expect(error === undefined).toBe(server_verdict.accepted);
      if (error === undefined) {
        const { request } = await judge(transport_base64);
        return expect(request.caller).toBe(server_verdict.caller ?? "");
      }
      expect(isOurs(error)).toBe(true);
      expect(reasons[name]).toBeDefined();
      expect(String(error)).toContain(reasons[name] ?? "");
    },
  );
});

describe("signRequest()", () => {
  const found = captured.requests.find(({ name }) => name === "direct_signed_request");
  const bob: Credentials = {
    token: tokenNamed("client_direct"),
    claims: decodeTokenUnverified(tokenNamed("client_direct")),
    holder: "up=bob",
    key: keyNamed("bob"),
  };

  test("makes the signature that the original makes", async () => {
    const bytes = encodeUtf8(found?.layers.request_utf8 ?? "");
    const secure = await signRequest(bytes, { agent: "rpcutil" }, bob);
    const expected = decodeSecureRequest(encodeUtf8(found?.layers.secure_request_utf8 ?? ""));
    expect(secure).toEqual(expected);
  });

  test("leaves requests to the signer itself unsigned", async () => {
    const secure = await signRequest(encodeUtf8("x"), { agent: "aaa_signer" }, bob, { sign: () => Promise.reject() });
    expect(Buffer.from(secure.signature).toString()).toBe("insecure");
    expect(secure.caller).toBe(bob.token);
  });

  test("puts the caller's token where the remote signer left its own", async () => {
    const signed: SecureRequest = {
      request: encodeUtf8("r"),
      signature: encodeUtf8("s"),
      caller: "delegate",
      signer: "delegate",
    };
    const secure = await signRequest(encodeUtf8("x"), { agent: "rpcutil" }, bob, { sign: async () => signed });
    expect(secure).toEqual({ ...signed, caller: bob.token });
  });

  test("refuses a remote signer that names no signer", async () => {
    const sign = async () => ({ request: encodeUtf8("r"), signature: encodeUtf8("s"), caller: "x" });
    expect(String(await thrownBy(() => signRequest(encodeUtf8("x"), { agent: "a" }, bob, { sign })))).toContain(
      "remote signer did not set a signer JWT",
    );
  });
});

describe("a request of our own", () => {
  const organization = new TestOrganization();
  const own = new RequestVerifier(
    { issuers: organization.issuers },
    new TokenVerifier(new FakeClock(organization.now)),
  );

  function bytesFor(caller: string) {
    return encodeRequest(
      newRequest({
        message: encodeUtf8("{}"),
        sender: "client",
        caller,
        collective: "choria",
        agent: "rpcutil",
        ttl: 60,
        filter: emptyFilter(),
      }),
    );
  }

  function signed(member: Member, caller: string) {
    const claims = decodeTokenUnverified(member.token);
    const credentials = { token: member.token, claims, holder: caller, key: member.key };
    return signRequest(bytesFor(caller), { agent: "rpcutil" }, credentials);
  }

  test("is accepted from a client of the organization and from one of its chain issuers", async () => {
    const permissions = { fleet_management: true };
    const by = await organization.chainIssuer("aaa");
    for (const member of [
      await organization.client({ callerid: "up=bob", permissions }),
      await organization.client({ callerid: "up=bob", permissions }, { by }),
    ]) {
      const verified = await own.verify(await signed(member, "up=bob"));
      expect(verified.request.caller).toBe("up=bob");
      expect(verified.caller.callerid).toBe("up=bob");
      expect(verified.callerToken).toBe(member.token);
    }
  });

  test("is refused from a chain issuer itself, from a server and without permission", async () => {
    for (const member of [
      await organization.chainIssuer("up=bob"),
      await organization.server({ identity: "up=bob", collectives: ["choria"] }),
      await organization.client({ callerid: "up=bob" }),
    ]) {
      expect(isOurs(await thrownBy(async () => own.verify(await signed(member, "up=bob"))))).toBe(true);
    }
  });

  test("is accepted from a delegate for a caller who may not sign himself", async () => {
    const signer = await organization.client({ callerid: "aaa", permissions: { authentication_delegator: true } });
    const caller = await organization.client({ callerid: "up=bob", permissions: { signed_fleet_management: true } });
    const request = bytesFor("up=bob");
    const secure = { request, signature: signer.key.sign(request), caller: caller.token, signer: signer.token };
    const verified = await own.verify(secure);
    expect([verified.caller.callerid, verified.signer?.callerid]).toEqual(["up=bob", "aaa"]);
    expect(isOurs(await thrownBy(() => own.verify({ ...secure, signature: caller.key.sign(request) })))).toBe(true);
    const { signer: _, ...alone } = secure;
    expect(isOurs(await thrownBy(() => own.verify({ ...alone, signature: caller.key.sign(request) })))).toBe(true);
  });

  test("is refused when the delegate's and the caller's issuers are not the same", async () => {
    const other = new TestOrganization(organization.now);
    const both = new RequestVerifier(
      { issuers: new Map([...organization.issuers, ["other", other.issuer.publicKey]]) },
      new TokenVerifier(new FakeClock(organization.now)),
    );
    const signer = await other.client({
      callerid: "aaa",
      ou: "other",
      permissions: { authentication_delegator: true },
    });
    const caller = await organization.client({ callerid: "up=bob", permissions: { signed_fleet_management: true } });
    const request = bytesFor("up=bob");
    const secure = { request, signature: signer.key.sign(request), caller: caller.token, signer: signer.token };
    expect(isTokenError(await thrownBy(() => both.verify(secure)))).toBe(true);
  });

  test("is refused when it is signed with another key than the token's", async () => {
    const member = await organization.client({ callerid: "up=bob", permissions: { fleet_management: true } });
    expect(
      String(await thrownBy(async () => own.verify(await signed({ ...member, key: generateKey() }, "up=bob")))),
    ).toContain("invalid request signature");
  });
});
