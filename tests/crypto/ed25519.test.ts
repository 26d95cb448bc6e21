import { describe, expect, test } from "bun:test";
import * as noble from "@noble/ed25519";
import fc from "fast-check";
import { encodeBase64Url, generateKey, isPublicKey, keyFromSeed, verifySignature } from "../../lib/crypto/mod.ts";
import keys from "../fixtures/tokens-and-protocol/keys.json";

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const messages = fc.uint8Array({ maxLength: 500 });

describe("keyFromSeed()", () => {
  test.each(keys.keys.map((key) => [key.name, key] as const))("finds the public key of %p", (_name, key) => {
    expect(keyFromSeed(key.seed_hex)).toMatchObject({ publicKey: key.public_hex, seed: key.seed_hex });
    expect(keyFromSeed(key.seed_hex.toUpperCase()).seed).toBe(key.seed_hex);
  });

  test("signs as the original does", () => {
    const { key: name, message_utf8, signature_hex, signature_base64url_raw } = keys.sign_example;
    const key = keyFromSeed(keys.keys.find((candidate) => candidate.name === name)?.seed_hex ?? "");
    const signature = key.sign(Buffer.from(message_utf8));
    expect(signature.toHex()).toBe(signature_hex);
    expect(encodeBase64Url(signature)).toBe(signature_base64url_raw);
    expect(verifySignature(key.publicKey, Buffer.from(message_utf8), signature)).toBe(true);
  });

  test("agrees byte for byte with another implementation", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, messages, async (seed, message) => {
        const key = keyFromSeed(seed.toHex());
        expect(key.publicKey).toBe((await noble.getPublicKeyAsync(seed)).toHex());
        const signature = key.sign(message);
        expect(signature.toHex()).toBe((await noble.signAsync(message, seed)).toHex());
        expect(verifySignature(key.publicKey, message, signature)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("refuses what is no seed with a TypeError that does not repeat it", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 80 }), fc.constantFrom("ab".repeat(31), "ab".repeat(33))), (text) => {
        if (/^[0-9a-fA-F]{64}$/.test(text)) return;
        let error: unknown;
        try {
          keyFromSeed(text);
        } catch (caught) {
          error = caught;
        }
        expect(error).toBeInstanceOf(TypeError);
        expect(String(error)).toBe("TypeError: Cannot use the ed25519 seed: expected 64 hex characters");
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("verifySignature()", () => {
  test("refuses a signature once any bit of it, of the message or of the key differs", () => {
    fc.assert(
      fc.property(seeds, fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), (seed, message, at) => {
        const key = keyFromSeed(seed.toHex());
        const signature = key.sign(message);
        expect(verifySignature(key.publicKey, message, flipped(signature, at))).toBe(false);
        expect(verifySignature(key.publicKey, flipped(message, at), signature)).toBe(false);
        expect(verifySignature(flipped(Buffer.from(key.publicKey, "hex"), at).toHex(), message, signature)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test("is false, and never throws, for anything else", () => {
    fc.assert(
      fc.property(fc.string(), messages, messages, (key, message, signature) => {
        expect(verifySignature(key, message, signature)).toBe(false);
        expect(verifySignature(generateKey().publicKey, message, signature)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

test("generateKey() never gives the same key twice", () => {
  const made = new Set(Array.from({ length: 200 }, () => generateKey().publicKey));
  expect(made.size).toBe(200);
});

test("isPublicKey() takes 64 hex characters of either case", () => {
  expect([..."aA"].map((digit) => isPublicKey(digit.repeat(64)))).toEqual([true, true]);
  for (const text of [
    "",
    "a".repeat(63),
    "a".repeat(65),
    "g".repeat(64),
    ` ${"a".repeat(63)}`,
    `${"a".repeat(64)}\n`,
  ]) {
    expect(isPublicKey(text)).toBe(false);
  }
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  const index = at % copy.length;
  copy[index] = (copy[index] ?? 0) ^ (1 << (at % 8));
  return copy;
}
