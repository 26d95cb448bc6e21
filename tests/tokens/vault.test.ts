import { afterAll, describe, expect, test } from "bun:test";
import { createPublicKey } from "node:crypto";
import { generateKey } from "../../lib/crypto/mod.ts";
import {
  decodeTokenUnverified,
  issueClientToken,
  isVouchedChainIssuer,
  vaultSettings,
  vaultSigner,
  verifyToken,
} from "../../lib/tokens/mod.ts";
import { freePort } from "../support/ports.ts";
import { FakeVault } from "../support/vault.ts";
import { thrownBy } from "./_vectors.ts";

const vault = new FakeVault();
afterAll(() => vault[Symbol.dispose]());
const settings = vaultSettings(vault.env);
const now = Date.now();

describe("vaultSigner()", () => {
  test("signs with the newest version of an ed25519 key", async () => {
    const signer = await vaultSigner("issuer", settings);
    expect(signer).toMatchObject({ algorithm: "EdDSA", publicKey: vault.issuer.publicKey });
    const token = await issueClientToken({ callerid: "up=bob" }, { signer, now });
    const key = { ed25519: vault.issuer.publicKey };
    expect((await verifyToken(token, "choria_client_id", { key, now })).callerid).toBe("up=bob");
    const asked = vault.requests.at(-1);
    expect(asked).toMatchObject({ method: "POST", path: "/v1/transit/sign/issuer", token: "hvs.test" });
    expect(asked?.body.key_version).toBe(12);
  });

  test("makes chain issuers, as it knows the public key", async () => {
    const signer = await vaultSigner("issuer", settings);
    const client = { callerid: "aaa", public_key: generateKey().publicKey, canIssue: true };
    const claims = decodeTokenUnverified(await issueClientToken(client, { signer, now }));
    expect(claims.iss).toBe(`I-${vault.issuer.publicKey}`);
    expect(isVouchedChainIssuer(claims)).toBe(true);
  });

  test("signs RS256 with an RSA key", async () => {
    const signer = await vaultSigner("rsa", settings);
    const token = await issueClientToken({ callerid: "up=bob" }, { signer, now });
    const key = { rsa: createPublicKey(vault.rsaPublic) };
    expect((await verifyToken(token, "choria_client_id", { key, now })).callerid).toBe("up=bob");
    expect(vault.requests.at(-1)?.body).toMatchObject({ hash_algorithm: "sha2-256", signature_algorithm: "pkcs1v15" });
  });

  test("names the namespace where there is one", async () => {
    await vaultSigner("issuer", vaultSettings({ ...vault.env, VAULT_NAMESPACE: "team/a" }));
    expect(vault.requests.at(-1)?.namespace).toBe("team/a");
    await vaultSigner("issuer", settings);
    expect(vault.requests.at(-1)?.namespace).toBeNull();
  });

  test("refuses a key that cannot sign tokens", async () => {
    expect(String(await thrownBy(() => vaultSigner("aes", settings)))).toContain(
      'Cannot use the Vault key "aes": it is of the type aes256-gcm96, expected ed25519 or rsa',
    );
  });

  test("tells what Vault answers, and never Vault's token", async () => {
    expect(String(await thrownBy(() => vaultSigner("none", settings)))).toContain("request failed: code: 404");
    const denied = String(await thrownBy(() => vaultSigner("issuer", { ...settings, token: "hvs.wrong" })));
    expect(denied).toContain("request failed: code: 403");
    expect(denied).toContain("permission denied");
    expect(denied).not.toContain("hvs.wrong");
    const address = `http://127.0.0.1:${await freePort()}`;
    expect(String(await thrownBy(() => vaultSigner("issuer", { ...settings, address })))).toContain(
      `Cannot ask Vault at ${address}: `,
    );
  });

  test.each([
    [{ signature: "" }, "no signature in response"],
    [{ signature: "AAAA" }, "invalid signature, no vault:v1 prefix"],
    [{ signature: "vault:v1:%%%" }, "could not decode vault response"],
    [{ signature: "vault:v1:AAAA" }, "its signature does not fit its public key"],
    [{}, "no signature in response"],
  ])("refuses the answer %p", async (answer, reason) => {
    const signer = await vaultSigner("issuer", settings);
    vault.misbehave = answer;
    const error = await thrownBy(() => issueClientToken({ callerid: "x" }, { signer, now }));
    vault.misbehave = undefined;
    expect(String(error)).toContain(reason);
  });

  test("does not send its token in the clear to another machine, nor after a redirect", async () => {
    for (const address of ["http://vault.example.net:8200", "ftp://127.0.0.1"]) {
      expect(String(await thrownBy(() => vaultSigner("issuer", { ...settings, address })))).toContain(
        "VAULT_ADDR must use https scheme",
      );
    }
    expect(String(await thrownBy(() => vaultSigner("issuer", { ...settings, address: "nonsense" })))).toContain(
      'Cannot use VAULT_ADDR "nonsense"',
    );
    const asked = vault.requests.length;
    using redirecting = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.redirect(vault.address) });
    const address = `http://127.0.0.1:${redirecting.port}`;
    expect(await thrownBy(() => vaultSigner("issuer", { ...settings, address }))).toBeInstanceOf(Error);
    expect(vault.requests).toHaveLength(asked);
  });
});

test("vaultSettings() needs an address and a token", () => {
  for (const env of [{}, { VAULT_ADDR: "https://v" }, { VAULT_TOKEN: "t" }]) {
    expect(() => vaultSettings(env)).toThrow("requires VAULT_TOKEN and VAULT_ADDR environment variables");
  }
});
