import { beforeAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateKey, selfSignedCertificate } from "../../lib/crypto/mod.ts";
import {
  issueClientToken,
  issueProvisioningToken,
  readTokenSigner,
  readVerifyKey,
  type VerifyKey,
  verifyToken,
} from "../../lib/tokens/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { thrownBy } from "./_vectors.ts";

const now = Date.now();
const node = { cht: "t", chs: true, chsrv: "example.net", chpd: false, extensions: null };
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const pem = {
  pkcs1: rsa.privateKey.export({ type: "pkcs1", format: "pem" }),
  pkcs8: rsa.privateKey.export({ type: "pkcs8", format: "pem" }),
  public: rsa.publicKey.export({ type: "spki", format: "pem" }),
};

describe("RSA keys", () => {
  test.each(["pkcs1", "pkcs8"] as const)("of the form %s sign tokens that their public part verifies", async (form) => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("key.pem"), pem[form]);
    writeFileSync(folder.file("public.pem"), pem.public);
    const signer = readTokenSigner(folder.file("key.pem"));
    expect(signer).toMatchObject({ algorithm: "RS256" });
    const token = await issueProvisioningToken(node, { signer, now });
    expect(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).toBe('{"alg":"RS256","typ":"JWT"}');
    const key = readVerifyKey(folder.file("public.pem"));
    expect((await verifyToken(token, "choria_provisioning", { key, now })).chsrv).toBe("example.net");
  });

  test("made by openssl work as the documentation has them", async () => {
    using folder = temporaryFolder();
    const key = folder.file("key.pem");
    const run = (...args: string[]) => Bun.spawn(["openssl", ...args], { stdout: "ignore", stderr: "ignore" }).exited;
    expect(await run("genrsa", "-out", key, "2048")).toBe(0);
    expect(await run("rsa", "-in", key, "-outform", "PEM", "-pubout", "-out", folder.file("public.pem"))).toBe(0);
    const token = await issueProvisioningToken(node, { signer: readTokenSigner(key), now });
    const verify = { key: readVerifyKey(folder.file("public.pem")), now };
    expect((await verifyToken(token, "choria_provisioning", verify)).cht).toBe("t");
  });

  test("and ed25519 keys never stand in for one another", async () => {
    const organization = generateKey();
    const ed25519: VerifyKey = { ed25519: organization.publicKey };
    using folder = temporaryFolder();
    writeFileSync(folder.file("key.pem"), pem.pkcs8);
    writeFileSync(folder.file("seed"), organization.seed);
    const byRsa = await issueClientToken({ callerid: "x" }, { signer: readTokenSigner(folder.file("key.pem")), now });
    const byEd = await issueClientToken({ callerid: "x" }, { signer: readTokenSigner(folder.file("seed")), now });
    const judge = (token: string, key: VerifyKey) =>
      thrownBy(() => verifyToken(token, "choria_client_id", { key, now }));
    expect(await judge(byRsa, { rsa: rsa.publicKey })).toBeUndefined();
    expect(await judge(byEd, ed25519)).toBeUndefined();
    expect(String(await judge(byRsa, ed25519))).toContain("rsa public key required");
    expect(String(await judge(byEd, { rsa: rsa.publicKey }))).toContain("ed25519 public key required");
    const other = generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey;
    expect(String(await judge(byRsa, { rsa: other }))).toContain("crypto/rsa: verification error");
  });
});

describe("readTokenSigner()", () => {
  test.each([
    ["nothing", ""],
    ["a short seed", "ab".repeat(31)],
    ["a public key in PEM", pem.public],
    ["an RSA key cut short", pem.pkcs8.slice(0, 200)],
    [
      "an elliptic curve key",
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }),
    ],
  ])("refuses %s, naming the file and not the key", (_what, content) => {
    using folder = temporaryFolder();
    const path = folder.file("key");
    writeFileSync(path, content);
    expect(() => readTokenSigner(path)).toThrow(`unsupported key in ${path}`);
    expect(() => readTokenSigner(path)).not.toThrow("MII");
  });

  test("refuses a file that cannot be read", () => {
    expect(() => readTokenSigner("/no/such/key")).toThrow('Cannot read the signing key "/no/such/key"');
  });
});

describe("readVerifyKey()", () => {
  let certificate = "";
  beforeAll(async () => {
    certificate = (await selfSignedCertificate({ name: "x" })).certificate;
  });

  test("takes hex, a file of hex, and PEM of a public key or a certificate", () => {
    using folder = temporaryFolder();
    const { publicKey } = generateKey();
    const write = (name: string, content: string) => {
      writeFileSync(folder.file(name), content);
      return join(folder.path, name);
    };
    expect(readVerifyKey(publicKey.toUpperCase())).toEqual({ ed25519: publicKey });
    expect(readVerifyKey(write("hex", `${publicKey}\n`))).toEqual({ ed25519: publicKey });
    expect(readVerifyKey(write("pem", String(pem.public)))).toHaveProperty("rsa");
    expect(readVerifyKey(write("crt", certificate))).toHaveProperty("rsa");
  });

  test.each([
    ["text", "nonsense", "invalid ed25519 public key size"],
    [
      "broken PEM",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
      "Cannot use the verification key file",
    ],
  ])("refuses a file of %s", (_what, content, reason) => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("key"), content);
    expect(() => readVerifyKey(folder.file("key"))).toThrow(reason);
    expect(() => readVerifyKey(folder.file("none"))).toThrow("expected 64 hex characters, or a file");
  });
});
