import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import {
  generateKey,
  readPublicKey,
  readSeedFile,
  selfSignedCertificate,
  writeSeedFile,
} from "../../lib/crypto/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

describe("seed files", () => {
  test("hold 64 hex characters and nothing else, for the owner alone", () => {
    using folder = temporaryFolder();
    const key = generateKey();
    writeSeedFile(folder.file("seed"), key);
    expect(readFileSync(folder.file("seed"), "utf8")).toBe(key.seed);
    expect(statSync(folder.file("seed")).mode & 0o777).toBe(0o600);
    expect(readSeedFile(folder.file("seed")).publicKey).toBe(key.publicKey);
  });

  test("may have white space around the seed", () => {
    using folder = temporaryFolder();
    const key = generateKey();
    writeFileSync(folder.file("seed"), ` ${key.seed.toUpperCase()}\n`);
    expect(readSeedFile(folder.file("seed")).publicKey).toBe(key.publicKey);
  });

  test("of any other content are refused by name, without a word of what they hold", () => {
    using folder = temporaryFolder();
    const path = folder.file("seed");
    const { seed } = generateKey();
    const contents = fc.oneof(
      fc.constantFrom(
        seed.slice(1),
        `${seed}ff`,
        seed.replace(/.$/, "x"),
        seed.match(/../g)?.join(" ") ?? "",
        "\uFEFF\0",
      ),
      fc.uint8Array({ maxLength: 200 }),
      fc.constant("a".repeat(1_000_000)),
    );
    fc.assert(
      fc.property(contents, (content) => {
        writeFileSync(path, content);
        let text = "";
        try {
          readSeedFile(path);
        } catch (error) {
          text = String(error);
        }
        expect(text).toContain(`Cannot read the ed25519 seed file "${path}"`);
        expect(text).not.toContain(seed.slice(1, 20));
        expect(text.length).toBeLessThan(300);
      }),
      { numRuns: 300 },
    );
  });

  test("that are not there, or folders, are refused by name", () => {
    using folder = temporaryFolder();
    expect(() => readSeedFile(folder.file("none"))).toThrow(`seed file "${folder.file("none")}"`);
    expect(() => readSeedFile(folder.path)).toThrow(`seed file "${folder.path}"`);
  });
});

describe("readPublicKey()", () => {
  test("takes hex or the file that holds it, and gives lower case", () => {
    using folder = temporaryFolder();
    const { publicKey } = generateKey();
    writeFileSync(folder.file("public"), `${publicKey.toUpperCase()}\n`);
    expect(readPublicKey(publicKey.toUpperCase())).toBe(publicKey);
    expect(readPublicKey(folder.file("public"))).toBe(publicKey);
  });

  test("refuses the rest", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("public"), "nonsense");
    expect(() => readPublicKey(folder.file("public"))).toThrow("expected 64 hex characters");
    expect(() => readPublicKey("nonsense")).toThrow("expected 64 hex characters or a file");
  });
});

test("selfSignedCertificate() names its hosts and addresses and signs itself", async () => {
  const { certificate, privateKey } = await selfSignedCertificate({
    name: "broker.example.net",
    alternatives: ["localhost", "127.0.0.1", "::1"],
    days: 10,
  });
  const parsed = new X509Certificate(certificate);
  expect(parsed.subject).toContain("CN=broker.example.net");
  for (const name of ["broker.example.net", "localhost"]) expect(parsed.subjectAltName).toContain(`DNS:${name}`);
  expect(parsed.subjectAltName).toContain("IP Address:127.0.0.1");
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  const days = (Date.parse(parsed.validTo) - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(10);
  expect(privateKey).toStartWith("-----BEGIN PRIVATE KEY-----");
});
