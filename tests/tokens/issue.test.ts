import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { generateKey, type KeyPair } from "../../lib/crypto/mod.ts";
import { parseKsuid } from "../../lib/std/mod.ts";
import {
  clientPermissionNames,
  decodeTokenUnverified,
  type IssueOptions,
  isChained,
  isChainIssuer,
  issueClientToken,
  issueProvisioningToken,
  issueServerToken,
  isVouchedChainIssuer,
  keySigner,
  type NewClient,
  parseToken,
  readTokenFile,
  serverPermissionNames,
  verifyToken,
  writeTokenFile,
} from "../../lib/tokens/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { thrownBy } from "./_vectors.ts";

const now = Date.UTC(2026, 5, 1, 12, 0, 0, 700);
const seconds = Math.floor(now / 1_000);
const organization = generateKey();
const key = { ed25519: organization.publicKey };
const holder = generateKey().publicKey;

const direct = (options: Partial<IssueOptions> = {}): IssueOptions => ({
  signer: keySigner(organization),
  now,
  ...options,
});

async function chainIssuer(validity = 86_400_000): Promise<{ key: KeyPair; token: string }> {
  const own = generateKey();
  const client = { callerid: "aaa", public_key: own.publicKey, permissions: {}, canIssue: true };
  return { key: own, token: await issueClientToken(client, direct({ validity })) };
}

const issuedBy = (issuer: { key: KeyPair; token: string }, options: Partial<IssueOptions> = {}): IssueOptions => ({
  signer: keySigner(issuer.key),
  chainIssuer: decodeTokenUnverified(issuer.token),
  now,
  ...options,
});

describe("issueClientToken()", () => {
  test("writes the header and the claims in the order of the original", async () => {
    const client: NewClient = {
      callerid: "up=bob",
      agents: ["rpcutil.*"],
      user_properties: { group: "ops" },
      opa_policy: "package io.choria.aaasvc",
      permissions: { fleet_management: true, streams_user: true, org_admin: false },
      pub_subjects: ["a"],
      sub_subjects: ["b"],
      public_key: holder,
    };
    const token = await issueClientToken(client, direct());
    const [header = "", body = ""] = token.split(".");
    expect(Buffer.from(header, "base64url").toString()).toBe('{"alg":"EdDSA","typ":"JWT"}');
    const text = Buffer.from(body, "base64url").toString();
    expect(Object.keys(JSON.parse(text))).toEqual([
      ...["callerid", "agents", "ou", "user_properties", "opa_policy", "permissions", "pub_subjects", "sub_subjects"],
      ...["purpose", "public_key", "iss", "exp", "nbf", "iat", "jti"],
    ]);
    expect(text).toContain('"permissions":{"streams_user":true,"fleet_management":true}');
    expect(await verifyToken(token, "choria_client_id", { key, now })).toMatchObject({ callerid: "up=bob" });
  });

  test("lives an hour unless told otherwise, and its id tells the second of its birth", async () => {
    const claims = decodeTokenUnverified(await issueClientToken({ callerid: "up=bob" }, direct()));
    expect(claims).toMatchObject({ iat: seconds, nbf: seconds, exp: seconds + 3_600, ou: "choria" });
    expect(parseKsuid(claims.jti ?? "")?.seconds).toBe(seconds);
    const long = decodeTokenUnverified(await issueClientToken({ callerid: "x" }, direct({ validity: 90_500 })));
    expect(long.exp).toBe(seconds + 90);
  });

  test("leaves out what is empty, but keeps an empty set of permissions", async () => {
    const client = { callerid: "up=bob", agents: [], opa_policy: "", permissions: {}, pub_subjects: [] };
    const { raw } = parseToken(await issueClientToken(client, direct()));
    expect(Object.keys(raw)).toEqual(["callerid", "ou", "permissions", "purpose", "iss", "exp", "nbf", "iat", "jti"]);
    const without = parseToken(await issueClientToken({ callerid: "up=bob" }, direct())).raw;
    expect(without.permissions).toBeUndefined();
  });

  test("comes back from its token as it was, whatever it says", async () => {
    const texts = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
    const clients = fc.record({
      callerid: texts,
      ou: texts,
      agents: fc.array(texts, { minLength: 1, maxLength: 4 }),
      user_properties: fc.dictionary(texts, texts, { maxKeys: 4 }),
      opa_policy: texts,
      permissions: fc.record(Object.fromEntries(clientPermissionNames.map((name) => [name, fc.boolean()]))),
    });
    await fc.assert(
      fc.asyncProperty(clients, async (client) => {
        const read = await verifyToken(await issueClientToken(client, direct()), "choria_client_id", { key, now });
        const { callerid, ou, agents, opa_policy } = client;
        expect(read).toMatchObject({ callerid, ou, agents, opa_policy });
        expect(Object.entries(read.user_properties ?? {})).toEqual(Object.entries(client.user_properties));
        for (const name of clientPermissionNames) {
          expect(read.permissions?.[name] ?? false).toBe(client.permissions[name] ?? false);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("a trust chain", () => {
  test("reaches from the organization over a chain issuer to clients and servers", async () => {
    const issuer = await chainIssuer();
    expect(isVouchedChainIssuer(decodeTokenUnverified(issuer.token))).toBe(true);
    const client = await issueClientToken({ callerid: "up=alice", public_key: holder }, issuedBy(issuer));
    const server = await issueServerToken(
      { identity: "node1", collectives: ["choria"], public_key: holder },
      issuedBy(issuer),
    );
    expect((await verifyToken(client, "choria_client_id", { key, now })).callerid).toBe("up=alice");
    expect((await verifyToken(server, "choria_server", { key, now })).identity).toBe("node1");
    expect(isChained(decodeTokenUnverified(client))).toBe(true);
    expect(isChainIssuer(decodeTokenUnverified(client))).toBe(false);
  });

  test("is believed by its own organization alone", async () => {
    const client = await issueClientToken({ callerid: "x", public_key: holder }, issuedBy(await chainIssuer()));
    const other = { ed25519: generateKey().publicKey };
    expect(String(await thrownBy(() => verifyToken(client, "choria_client_id", { key: other, now })))).toContain(
      "chain issuer credentials not signed by org issuer",
    );
  });

  test("ends with its issuer", async () => {
    const issuer = await chainIssuer(60_000);
    const token = await issueClientToken(
      { callerid: "x", public_key: holder },
      issuedBy(issuer, { validity: 3_600_000 }),
    );
    expect(decodeTokenUnverified(token)).toMatchObject({ exp: seconds + 60, issexp: seconds + 60 });
    const judge = (at: number) => thrownBy(() => verifyToken(token, "choria_client_id", { key, now: at }));
    expect(await judge((seconds + 60) * 1_000 - 1)).toBeUndefined();
    expect(await judge((seconds + 60) * 1_000)).toMatchObject({ name: "TokenExpiredError" });
  });

  test("has no third level", async () => {
    const issuer = await chainIssuer();
    const own = generateKey();
    const second = await issueClientToken({ callerid: "x", public_key: own.publicKey }, issuedBy(issuer));
    const third = await issueClientToken({ callerid: "y", public_key: holder }, issuedBy({ key: own, token: second }));
    expect(await thrownBy(() => verifyToken(third, "choria_client_id", { key, now }))).toMatchObject({
      name: "TokenError",
    });
  });

  test.each([
    ["a token that cannot issue", {}, "no Trust Chain Signature claim in JWT Signing Token"],
    ["a token without an id", { tcs: "ab" }, "id not set"],
    ["a token without a key", { tcs: "ab", jti: "x" }, "no public key set"],
    ["a token without an end", { tcs: "ab", jti: "x", public_key: holder }, "issuer has no expiry"],
    ["another's key", { tcs: "ab", jti: "x", public_key: holder, exp: 1 }, "does not belong to the JWT Signing Key"],
  ])("cannot be made with %s", async (_what, chainIssuer, reason) => {
    const error = await thrownBy(() =>
      issueClientToken({ callerid: "x", public_key: holder }, direct({ chainIssuer })),
    );
    expect(error).toMatchObject({ name: "TokenError" });
    expect(String(error)).toContain(reason);
  });

  test("cannot start without a public key or with an RSA signer", async () => {
    expect(String(await thrownBy(() => issueClientToken({ callerid: "x", canIssue: true }, direct())))).toContain(
      "no public key set",
    );
    const signer = { algorithm: "RS256" as const, sign: async () => new Uint8Array() };
    const client = { callerid: "x", public_key: holder, canIssue: true };
    expect(String(await thrownBy(() => issueClientToken(client, { signer, now })))).toContain("needs the ed25519 key");
    const chained = { signer, now, chainIssuer: { tcs: "a" } };
    expect(String(await thrownBy(() => issueClientToken({ callerid: "x" }, chained)))).toContain("needs an ed25519");
  });
});

test("issueServerToken() writes what the original writes", async () => {
  const permissions = Object.fromEntries(serverPermissionNames.map((name) => [name, true]));
  const { raw } = parseToken(
    await issueServerToken(
      { identity: "n", collectives: ["a", "b"], permissions, pub_subjects: ["x.>"], public_key: holder },
      direct({ issuer: "Choria Provisioner", validity: 8_760 * 3_600_000 }),
    ),
  );
  expect(Object.keys(raw)).toEqual([
    ...["identity", "collectives", "permissions", "ou", "pub_subjects"],
    ...["purpose", "public_key", "iss", "exp", "nbf", "iat", "jti"],
  ]);
  expect(raw).toMatchObject({ permissions, iss: "Choria Provisioner", exp: seconds + 31_536_000 });
});

describe("issueProvisioningToken()", () => {
  const node = {
    cht: "s3cret",
    chs: false,
    chu: "nats://b:4222",
    chpd: true,
    extensions: null,
    v2: true,
    update: true,
  };

  test("writes what the original writes", async () => {
    const { raw } = parseToken(await issueProvisioningToken(node, direct()));
    expect(Object.keys(raw)).toEqual([
      ...["cht", "chs", "chu", "chpd", "extensions", "ou", "v2", "update"],
      ...["purpose", "iss", "sub", "exp", "nbf", "iat", "jti"],
    ]);
    expect(raw).toMatchObject({ extensions: null, sub: "choria_provisioning", iss: "Choria Tokens Package" });
  });

  test("is refused when it leads nowhere", async () => {
    const { chu: _, ...rest } = node;
    expect(String(await thrownBy(() => issueProvisioningToken(rest, direct())))).toContain(
      "URLs or a SRV Domain is required",
    );
  });
});

describe("token files", () => {
  test("hold the token and nothing else, for the owner alone", async () => {
    using folder = temporaryFolder();
    const token = await issueClientToken({ callerid: "x" }, direct());
    writeTokenFile(folder.file("t.jwt"), token);
    expect(readFileSync(folder.file("t.jwt"), "utf8")).toBe(token);
    expect(statSync(folder.file("t.jwt")).mode & 0o777).toBe(0o600);
    writeFileSync(folder.file("t.jwt"), `\n${token} \n`);
    expect(readTokenFile(folder.file("t.jwt"))).toBe(token);
  });

  test("that are missing or empty are refused by name", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("empty.jwt"), " \n");
    for (const name of ["none.jwt", "empty.jwt"]) {
      expect(() => readTokenFile(folder.file(name))).toThrow("could not read token file: ");
      expect(() => readTokenFile(folder.file(name))).toThrow(folder.file(name));
    }
  });
});
