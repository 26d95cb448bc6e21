import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { issueNodeToken, readIssuer } from "../../lib/provisioner/mod.ts";
import { type Logger, silentLogger } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, parseToken, type ServerClaims, verifyToken } from "../../lib/tokens/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";

const fixtures = `${import.meta.dir}/../fixtures/provisioning`;
const year = 365 * 86_400;

async function rig(
  options: { chained?: boolean; signerDays?: number; exp?: number; configuration?: Record<string, string> } = {},
) {
  const { chained = true, signerDays = 3_650, configuration = { "plugin.security.provider": "choria" } } = options;
  const organization = new TestOrganization();
  const folder = temporaryFolder();
  const signer = await organization.client(
    { callerid: "provisioner_signer", permissions: { provisioner: true, fleet_management: true }, canIssue: true },
    { validity: signerDays * 86_400_000 },
  );
  const { tokenFile, seedFile } = signer.save(folder.file("signer"));
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const { now } = organization;
  const request = {
    identity: "srv1.choria.local",
    publicKey: "ab".repeat(32),
    reply: { configuration, ...(options.exp === undefined ? {} : { server_claims: { exp: options.exp } }) },
    validity: year * 1_000,
    now,
    logger,
  };
  const issuer = readIssuer({ signingKey: seedFile, signingToken: chained ? tokenFile : "" });
  const token = await issueNodeToken(request, issuer);
  folder[Symbol.dispose]();
  return {
    token,
    claims: decodeTokenUnverified(token) as ServerClaims,
    organization,
    signer,
    warnings,
    iat: Math.floor(now / 1_000),
  };
}

describe("a node's token", () => {
  test("has the claims of the original's, in their order, and verifies by the same rules", async () => {
    const { token, organization, signer } = await rig();
    const captured = parseToken(readFileSync(`${fixtures}/server.jwt`, "utf8")).raw;
    const { permissions: _permissions, ...keys } = captured;
    expect(Object.keys(parseToken(token).raw)).toEqual(Object.keys(keys));
    const key = { ed25519: organization.issuer.publicKey };
    const claims = await verifyToken(token, "choria_server", { key, now: organization.now });
    expect(claims).toMatchObject({ identity: "srv1.choria.local", collectives: ["choria"], ou: "choria" });
    expect(claims.iss).toEndWith(signer.key.publicKey);
  });

  test("of the capture verifies against the capture's organization", async () => {
    const key = { ed25519: readFileSync(`${fixtures}/issuer.public`, "utf8").trim() };
    const token = readFileSync(`${fixtures}/server.jwt`, "utf8");
    const { iat = 0 } = decodeTokenUnverified(token);
    expect(await verifyToken(token, "choria_server", { key, now: iat * 1_000 })).toMatchObject({
      permissions: { submission: true, streams: true, service_host: true },
    });
  });

  test("lasts as long as the helper says: a small number is a lifetime", async () => {
    const { claims, warnings, iat } = await rig({ exp: 5 * year });
    expect(claims.exp).toBe(iat + 5 * year);
    expect(warnings).toEqual([]);
  });

  test("ends when the helper says: a large number is a moment", async () => {
    const end = Math.floor(Date.now() / 1_000) + 2 * year;
    expect((await rig({ exp: end })).claims.exp).toBe(end);
  });

  test("lasts a year where the helper asks for an hour or less, which is told", async () => {
    for (const exp of [3_600, 0, Math.floor(Date.now() / 1_000) + 60]) {
      const { claims, warnings, iat } = await rig({ exp });
      expect(claims.exp).toBe(iat + year);
      expect(warnings[0]).toMatch(/^Server validity .+ is too short, setting to default 8760h0m0s$/);
    }
  });

  test("ends with its issuer's at the latest", async () => {
    const { claims } = await rig({ exp: 5 * year, signerDays: 30 });
    expect(claims.exp).toBe(claims.issexp);
  });

  test("without a signing token is signed directly", async () => {
    const { claims } = await rig({ chained: false });
    expect(claims).toMatchObject({ iss: "Choria Provisioner" });
    expect(claims.tcs).toBeUndefined();
  });

  test("takes its collectives from the claims, the configuration or the provider, in this order", async () => {
    expect((await rig({ configuration: { a: "b" } })).claims.collectives).toEqual(["mcollective"]);
    expect((await rig({ configuration: { collectives: "a, b" } })).claims.collectives).toEqual(["a", "b"]);
  });
});

test("an issuer that cannot issue is refused", async () => {
  using folder = temporaryFolder();
  const organization = new TestOrganization();
  const plain = await organization.client({ callerid: "up=bob" });
  const { tokenFile, seedFile } = plain.save(folder.file("plain"));
  expect(() => readIssuer({ signingKey: "", signingToken: "" })).toThrow("no JWT signing key configured");
  expect(() => readIssuer({ signingKey: seedFile, signingToken: tokenFile })).toThrow(
    "no Trust Chain Signature claim in JWT Signing Token",
  );
});
