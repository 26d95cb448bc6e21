import { beforeAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import { LoginJudge, type LoginPolicy, type LoginRequest } from "../../lib/broker/mod.ts";
import { encodeBase64Url } from "../../lib/crypto/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { signToken } from "../../lib/tokens/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { type Member, TestOrganization } from "../support/organization.ts";

const clock = new FakeClock();
const organization = new TestOrganization(clock.now());
const stranger = new TestOrganization(clock.now());
const policy: LoginPolicy = {
  issuers: organization.issuers,
  provisionerPassword: "s3cret",
  allowTokenlessProvisioner: false,
  systemUser: "system",
  systemPassword: "system password",
  denyServers: false,
  keepExpired: false,
};
const nonce = "abcDEF123_-xyz";
const bare: LoginRequest = {
  host: "192.0.2.1",
  kind: "Client",
  connection: "test",
  hasTls: true,
  nonce: "",
  signature: "",
  token: "",
  user: "",
  password: "",
};

function signed({ token, key }: Member, extra: Partial<LoginRequest> = {}): LoginRequest {
  return { ...bare, token, nonce, signature: encodeBase64Url(key.sign(encodeUtf8(nonce))), ...extra };
}

function judge(login: LoginRequest, changes: Partial<LoginPolicy> = {}) {
  return new LoginJudge({ ...policy, ...changes }, clock).judge(login);
}

const members: Record<string, Member> = {};
let provisioning = "";

beforeAll(async () => {
  members.client = await organization.client({ callerid: "up=bob" });
  members.server = await organization.server({ identity: "node1", collectives: ["choria"] });
  members.provisioner = await organization.client({ callerid: "p", permissions: { provisioner: true } });
  members.system = await organization.client({ callerid: "s", permissions: { system_user: true } });
  members.admin = await organization.client({ callerid: "a", permissions: { org_admin: true } });
  members.stranger = await stranger.client({ callerid: "up=bob" });
  members.nameless = await organization.client({ callerid: "" });
  members.short = await organization.client({ callerid: "up=short" }, { validity: 60_000 });
  provisioning = await organization.provisioning(["nats://x:4222"]);
});

function member(name: string): Member {
  const found = members[name];
  if (found === undefined) throw new Error(`There is no member ${name}`);
  return found;
}

const provisioner = { user: "provisioner", password: "s3cret" };
const system = { user: "system", password: "system password" };

describe("a login is let in", () => {
  const cases: [string, () => LoginRequest, string, string][] = [
    ["of a client", () => signed(member("client")), "up=bob", "choria"],
    ["of a server", () => signed(member("server")), "node1", "choria"],
    [
      "of a client, whatever user it names",
      () => signed(member("client"), { user: "x", password: "y" }),
      "up=bob",
      "choria",
    ],
    [
      "with white space around its token",
      () => signed(member("client"), { token: ` ${member("client").token}\n` }),
      "up=bob",
      "choria",
    ],
    ["of a server that is not provisioned", () => ({ ...bare, token: provisioning }), "unprovisioned", "provisioning"],
    ["of the provisioner", () => signed(member("provisioner"), provisioner), "provisioner", "provisioning"],
    [
      "of the provisioner without a signature",
      () => ({ ...bare, ...provisioner, token: member("provisioner").token }),
      "provisioner",
      "provisioning",
    ],
    ["of the system user", () => signed(member("system"), system), "system", "system"],
    ["of the system user as administrator", () => signed(member("admin"), system), "system", "system"],
  ];
  test.each(cases)("%s", async (_name, login, name, account) => {
    expect(await judge(login())).toMatchObject({ isAllowed: true, name, permissions: { account } });
  });
});

describe("a login is refused, and the log says by which rule", () => {
  const cases: [string, () => LoginRequest, string][] = [
    ["in the clear", () => signed(member("admin"), { hasTls: false }), "connection is not encrypted"],
    [
      "of a leaf node",
      () => signed(member("admin"), { kind: "Leafnode" }),
      "only clients may log in, not a connection of kind Leafnode",
    ],
    ["without anything", () => bare, "unverified connection without JWT token"],
    [
      "with something that is no token",
      () => ({ ...bare, token: "x" }),
      "token contains an invalid number of segments",
    ],
    ["without a signature", () => ({ ...bare, token: member("client").token }), "no nonce signature received"],
    ["without a nonce", () => signed(member("client"), { nonce: "" }), "no server generated nonce received"],
    [
      "with the signature of another key",
      () => signed({ ...member("admin"), token: member("client").token }),
      "invalid nonce signature",
    ],
    [
      "with the signature of another nonce",
      () => signed(member("client"), { nonce: "other" }),
      "invalid nonce signature",
    ],
    [
      "with a signature in standard base64",
      () => signed(member("client"), { signature: "a+/=" }),
      "invalid nonce signature",
    ],
    [
      "of another organization under our name",
      () => signed(member("stranger")),
      "could not parse client id token: token signature is invalid: ed25519: verification error",
    ],
    ["of nobody", () => signed(member("nameless")), "no callerid in client token"],
    [
      "of the provisioner without a password",
      () => signed(member("provisioner"), { ...provisioner, password: "" }),
      "password required",
    ],
    [
      "of the provisioner with another password",
      () => signed(member("provisioner"), { ...provisioner, password: "x" }),
      "invalid provisioner password supplied",
    ],
    ["of the provisioner without a token", () => ({ ...bare, ...provisioner }), "no token provided in connection"],
    [
      "of the provisioner by a client",
      () => signed(member("client"), provisioner),
      "provisioner claim is false in token with caller id 'up=bob'",
    ],
    ["of the provisioner with a server's token", () => signed(member("server"), provisioner), "not a client token"],
    [
      "of the provisioner with a signature of another key",
      () => signed({ ...member("client"), token: member("provisioner").token }, provisioner),
      "invalid nonce signature",
    ],
    ["of the system user without a token", () => ({ ...bare, ...system }), "no JWT token received"],
    ["of the system user with a server's token", () => signed(member("server"), system), "client token required"],
    ["of the system user by a client", () => signed(member("client"), system), "no system_user or org_admin claim"],
    [
      "of the system user without a signature",
      () => ({ ...bare, ...system, token: member("system").token }),
      "no nonce signature received",
    ],
    [
      "of the system user with another password",
      () => signed(member("system"), { ...system, password: "x" }),
      "invalid system credentials",
    ],
    [
      "of the system user without a password",
      () => signed(member("system"), { ...system, password: "" }),
      "invalid system credentials",
    ],
  ];
  test.each(cases)("%s", async (_name, login, reason) => {
    expect(await judge(login())).toEqual({ isAllowed: false, reason });
  });

  test("for an organization that is not known", async () => {
    const foreign = await organization.client({ callerid: "up=bob", ou: "acme" });
    expect(await judge(signed(foreign))).toEqual({ isAllowed: false, reason: "no issuer configured for ou 'acme'" });
  });

  test.each([
    [{ ou: undefined }, "no ou claim in token"],
    [{ ou: 7 }, "invalid ou in token"],
    [{ purpose: "else" }, 'unknown token purpose "else"'],
  ])("for claims %p", async (changes, reason) => {
    const { key } = member("client");
    const claims = {
      purpose: "choria_client_id",
      callerid: "up=bob",
      ou: "choria",
      public_key: key.publicKey,
      ...changes,
    };
    const token = await signToken(claims, { algorithm: "EdDSA", sign: async (data) => organization.issuer.sign(data) });
    expect(await judge(signed({ ...member("client"), token }))).toEqual({ isAllowed: false, reason });
  });

  test("of new servers and the provisioner where provisioning is off", async () => {
    const off = { provisionerPassword: "" };
    expect(await judge({ ...bare, token: provisioning }, off)).toMatchObject({ reason: "provisioning is not enabled" });
    const login = signed(member("provisioner"), { user: "provisioner", password: "" });
    expect(await judge(login, off)).toMatchObject({ reason: "provisioning user password not enabled" });
  });

  test("of the system user where none has a password", async () => {
    const login = signed(member("system"), { user: "system", password: "" });
    expect(await judge(login, { systemPassword: "" })).toMatchObject({ reason: "invalid system credentials" });
  });
});

test("without a system user its name is nothing special", async () => {
  expect(await judge(signed(member("client"), system), { systemUser: "" })).toMatchObject({ name: "up=bob" });
});

test("a provisioner needs no token where the configuration says so, and a token it shows still has to be good", async () => {
  const lax = { allowTokenlessProvisioner: true };
  expect(await judge({ ...bare, ...provisioner }, lax)).toMatchObject({ isAllowed: true });
  expect(await judge(signed(member("client"), provisioner), lax)).toMatchObject({ isAllowed: false });
});

test("servers are let in to do nothing where they are denied", async () => {
  expect(await judge(signed(member("server")), { denyServers: true })).toMatchObject({
    isAllowed: true,
    permissions: { publish: { allow: [], deny: [">"] }, subscribe: { allow: [], deny: [">"] } },
  });
});

test("provisioning tokens may be signed by an RSA key that the configuration names", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const claims = { purpose: "choria_provisioning", cht: "x", chs: true, chu: "nats://x", chpd: true };
  const token = await signToken(claims, { algorithm: "RS256", sign: async (data) => sign("sha256", data, privateKey) });
  expect(await judge({ ...bare, token }, { provisioningSigner: { rsa: publicKey } })).toMatchObject({
    isAllowed: true,
  });
  expect(await judge({ ...bare, token })).toMatchObject({ reason: "provisioning signer certificate not configured" });
});

test("a session ends with its token, unless the configuration keeps it", async () => {
  const login = signed(member("short"));
  const end = Math.floor(clock.now() / 1_000) + 60;
  expect(await judge(login)).toMatchObject({ expires: end });
  expect(await judge(login, { keepExpired: true })).not.toHaveProperty("expires");
});

test("a token that was good is refused once its time is over, though it is remembered", async () => {
  const later = new FakeClock(clock.now());
  const keeping = new LoginJudge(policy, later);
  expect(await keeping.judge(signed(member("short")))).toMatchObject({ isAllowed: true });
  await later.advance(60_000);
  expect(await keeping.judge(signed(member("short")))).toMatchObject({
    isAllowed: false,
    reason: expect.stringContaining("token is expired"),
  });
});

test("an end that lies beyond any timer is none", async () => {
  const { key } = member("client");
  const claims = {
    purpose: "choria_client_id",
    callerid: "x",
    ou: "choria",
    public_key: key.publicKey,
    exp: 99_999_999_999,
  };
  const token = await signToken(claims, { algorithm: "EdDSA", sign: async (data) => organization.issuer.sign(data) });
  const verdict = await judge(signed({ ...member("client"), token }));
  expect(verdict).toMatchObject({ isAllowed: true });
  expect(verdict).not.toHaveProperty("expires");
});
