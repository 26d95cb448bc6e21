import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type CalloutRequest, decodeCalloutRequest, encodeCalloutResponse, LoginJudge } from "../../lib/broker/mod.ts";
import { decodeNatsJwt, encodeNatsJwt, generateNkey } from "../../lib/crypto/mod.ts";
import type { Permissions } from "../../lib/permissions/mod.ts";
import { encodeUtf8, type JsonObject, type Logger, systemClock } from "../../lib/std/mod.ts";
import { startTestBroker } from "../support/broker.ts";
import { TestOrganization } from "../support/organization.ts";
import { RawNats } from "../support/raw_nats.ts";

const server = generateNkey("server");
const issuer = generateNkey("account");
const organization = new TestOrganization();

const judge = new LoginJudge(
  {
    issuers: organization.issuers,
    provisionerPassword: "s3cret",
    allowTokenlessProvisioner: false,
    systemUser: "system",
    systemPassword: "system",
    denyServers: false,
    keepExpired: false,
  },
  systemClock,
);

function requestClaims(): JsonObject {
  return {
    aud: "nats-authorization-request",
    exp: 1,
    iat: 1,
    jti: "x",
    iss: server.publicKey,
    sub: issuer.publicKey,
    nats: {
      server_id: { name: "a", host: "127.0.0.1", id: server.publicKey, version: "2.15.1" },
      user_nkey: "UB2L",
      client_info: { host: "192.0.2.1", id: 9, user: "u", name: "t", kind: "Client", type: "nats", nonce: "n" },
      connect_opts: { sig: "s", auth_token: "t", user: "u", pass: "p", name: "mine", lang: "go", protocol: 1 },
      client_tls: { version: "1.3", cipher: "TLS_AES_128_GCM_SHA256" },
      type: "authorization_request",
      version: 2,
    },
  };
}

const encode = (claims: JsonObject) => encodeUtf8(encodeNatsJwt(claims, server));

test("a request of nats-server is read in full", () => {
  expect(decodeCalloutRequest(encode(requestClaims()))).toEqual({
    serverId: server.publicKey,
    userNkey: "UB2L",
    login: {
      host: "192.0.2.1",
      kind: "Client",
      connection: "mine",
      hasTls: true,
      nonce: "n",
      signature: "s",
      token: "t",
      user: "u",
      password: "p",
    },
  });
});

describe("what is no request of nats-server is not taken for one", () => {
  const damaged: [string, () => Uint8Array][] = [
    ["nothing", () => new Uint8Array()],
    ["text", () => encodeUtf8("hello")],
    ["bytes that are no text", () => new Uint8Array([0xff, 0xfe, 0x2e, 0x2e])],
    ["another audience", () => encode({ ...requestClaims(), aud: "somebody" })],
    ["no content", () => encode({ ...requestClaims(), nats: null })],
    ["a server that is not the signer", () => encode({ ...requestClaims(), iss: generateNkey("server").publicKey })],
    ["a megabyte", () => encodeUtf8("a.".repeat(500_000))],
    [
      "a signature of other bytes",
      () => {
        const [head, , signature] = encodeNatsJwt(requestClaims(), server).split(".");
        const body = Buffer.from(JSON.stringify({ ...requestClaims(), jti: "y" })).toString("base64url");
        return encodeUtf8(`${head}.${body}.${signature}`);
      },
    ],
  ];
  test.each(damaged)("%s", (name, make) => {
    expect(decodeCalloutRequest(make())).toBeUndefined();
    const isReadUnchecked = name === "a signature of other bytes";
    expect(decodeCalloutRequest(make(), { isFromOwnServer: true }) !== undefined).toBe(isReadUnchecked);
  });

  test("any prefix of a request", () => {
    const whole = encode(requestClaims());
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        return decodeCalloutRequest(whole.subarray(0, length)) === undefined;
      }),
    );
  });

  test("any bytes", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => decodeCalloutRequest(bytes) === undefined));
  });
});

test("a signed request with anything inside is judged without an exception, and nothing is let in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), async (value, options) => {
      const claims = requestClaims();
      const nats = { ...Object(claims.nats), connect_opts: options, client_info: value };
      const request = decodeCalloutRequest(encode({ ...claims, nats }));
      return request === undefined || !(await judge.judge(request.login)).isAllowed;
    }),
    { numRuns: 300 },
  );
});

test("any token is judged without an exception", async () => {
  const base = decodeCalloutRequest(encode(requestClaims()));
  if (base === undefined) throw new Error("no request");
  const part = fc.oneof(
    fc.base64String(),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString("base64url")),
  );
  await fc.assert(
    fc.asyncProperty(fc.tuple(part, part, part), fc.string(), async (parts, user) => {
      const verdict = await judge.judge({ ...base.login, token: parts.join("."), user });
      return !verdict.isAllowed && !verdict.reason.includes(parts.join("."));
    }),
    { numRuns: 300 },
  );
});

describe("an answer", () => {
  const request: CalloutRequest | undefined = decodeCalloutRequest(encode(requestClaims()));
  if (request === undefined) throw new Error("no request");
  const read = (verdict: Parameters<typeof encodeCalloutResponse>[1]) =>
    decodeNatsJwt(encodeCalloutResponse(request, verdict, issuer, 1_000_000));

  test("that lets in names the account, the subjects and the end", () => {
    const permissions: Permissions = {
      account: "choria",
      publish: { allow: ["a"], deny: [] },
      subscribe: { allow: [], deny: [">"] },
      dropped: [],
    };
    const answer = read({
      isAllowed: true,
      name: "up=bob",
      permissions,
      expires: 2_000,
    });
    expect(answer).toMatchObject({ iss: issuer.publicKey, sub: "UB2L", aud: server.publicKey, iat: 1_000 });
    const nats: JsonObject = Object(answer?.nats);
    expect(nats).toMatchObject({ type: "authorization_response", version: 2 });
    expect(decodeNatsJwt(String(nats.jwt))).toMatchObject({
      aud: "choria",
      name: "up=bob",
      exp: 2_000,
      nats: { pub: { allow: ["a"] }, sub: { deny: [">"] } },
    });
  });

  test("without limits names no subjects and, without an end, no end", () => {
    const answer = read({ isAllowed: true, name: "x", permissions: { account: "system", dropped: [] } });
    const user = decodeNatsJwt(String(Object(answer?.nats).jwt));
    expect(user).toMatchObject({ aud: "system", nats: { pub: {}, sub: {} } });
    expect(user).not.toHaveProperty("exp");
  });

  test("that refuses holds the reason and nothing else", () => {
    const answer = read({ isAllowed: false, reason: "no" });
    expect(answer?.nats).toEqual({ error: "no", type: "authorization_response", version: 2 });
  });
});

test("whatever peers send before they are known, the broker goes on", async () => {
  const lines: string[] = [];
  const log = (message: string, fields?: object) => lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  await using broker = await startTestBroker({ organization, logger });
  const pid = broker.handle.natsPid;
  const hostile = [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    `CONNECT ${"{".repeat(60_000)}\r\n`,
    `CONNECT {"auth_token":"${"a".repeat(60_000)}"}\r\nPING\r\n`,
    `CONNECT {"auth_token":"${"a.".repeat(20_000)}"}\r\nPING\r\n`,
    `CONNECT {"auth_token":"x","sig":"${"=".repeat(1_000)}"}\r\nPING\r\n`,
    `CONNECT {"auth_token":{"a":1},"user":7}\r\nPING\r\n`,
    `CONNECT {"user":"provisioner","pass":"${"p".repeat(50_000)}"}\r\nPING\r\n`,
    `CONNECT {"user":"system","pass":"system","nkey":"UAAAA","sig":"AAAA"}\r\nPING\r\n`,
    `CONNECT {"jwt":"eyJ0eXAiOiJKV1QifQ.e30.AA","sig":"AA"}\r\nPING\r\n`,
    "PUB $SYS.REQ.USER.AUTH 2\r\n{}\r\n",
    "SUB > 1\r\nPUB a 1\r\nx\r\n",
    "\u0000\u0001\u0002\r\n",
  ];
  await Promise.all(
    hostile.map(async (text) => {
      using peer = await RawNats.open(broker.port);
      peer.write(text);
      expect(await peer.expect(/^PONG$/)).not.toContain("PONG");
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom("auth_token", "sig", "user", "pass", "jwt", "name"), fc.string()),
      async (fields) => {
        using peer = await RawNats.open(broker.port);
        const said = await peer.connect(fields);
        return said.at(-1) === "(closed)";
      },
    ),
    { numRuns: 40 },
  );
  const member = await organization.client({ callerid: "up=bob" });
  using peer = await RawNats.open(broker.port);
  const sig = Buffer.from(member.key.sign(encodeUtf8(peer.nonce))).toString("base64url");
  expect(await peer.connect({ auth_token: member.token, sig })).toEqual(["PONG"]);
  expect(broker.handle.natsPid).toBe(pid);
  expect(lines.some((line) => line.includes(member.token) || line.includes("p".repeat(1_000)))).toBe(false);
});

test("nobody who is logged in can ask the broker about a login, whatever account he is in", async () => {
  await using broker = await startTestBroker({ organization });
  const admin = await organization.client({ callerid: "up=admin", permissions: { org_admin: true } });
  const provisioner = await organization.client({ callerid: "prov", permissions: { provisioner: true } });
  const logins = [
    [admin, {}],
    [admin, { user: "system", pass: "system" }],
    [provisioner, { user: "provisioner", pass: "s3cret" }],
  ] as const;
  for (const [member, extra] of logins) {
    using peer = await RawNats.open(broker.port);
    const sig = Buffer.from(member.key.sign(encodeUtf8(peer.nonce))).toString("base64url");
    expect(await peer.connect({ auth_token: member.token, sig, no_responders: true, ...extra })).toEqual(["PONG"]);
    const { allowed, refused } = broker.handle.logins;
    const question = encodeNatsJwt(requestClaims(), server);
    await peer.ask(`SUB answers.> 1\r\nPUB $SYS.REQ.USER.AUTH answers.a ${question.length}\r\n${question}`);
    // The next login is asked about after that question, in order.
    using another = await RawNats.open(broker.port);
    const nonceSig = Buffer.from(admin.key.sign(encodeUtf8(another.nonce))).toString("base64url");
    expect(await another.connect({ auth_token: admin.token, sig: nonceSig })).toEqual(["PONG"]);
    expect(broker.handle.logins).toEqual({ allowed: allowed + 1, refused });
  }
});
