import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeNatsJwt,
  encodeNatsJwt,
  generateNkey,
  keyFromSeed,
  nkeyFromKey,
  nkeyFromSeed,
  verifyNkeySignature,
} from "../../lib/crypto/mod.ts";

const kinds = ["account", "user", "server"] as const;

describe("nkeys", () => {
  test("have the letters and lengths of NATS", () => {
    for (const [kind, letter] of [
      ["account", "A"],
      ["user", "U"],
      ["server", "N"],
    ] as const) {
      const nkey = generateNkey(kind);
      expect(nkey.publicKey).toMatch(new RegExp(`^${letter}[A-Z2-7]{55}$`));
      expect(nkey.seed).toMatch(new RegExp(`^S${letter}[A-Z2-7]{56}$`));
    }
  });

  test("are read back from their seeds and verify their own signatures", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom(...kinds), (seed, kind) => {
        const nkey = nkeyFromKey(kind, keyFromSeed(seed.toHex()));
        expect(nkeyFromSeed(kind, nkey.seed).publicKey).toBe(nkey.publicKey);
        expect(verifyNkeySignature(nkey.publicKey, seed, nkey.sign(seed))).toBe(true);
        expect(verifyNkeySignature(nkey.publicKey, new Uint8Array(32), nkey.sign(seed))).toBe(
          seed.every((b) => b === 0),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("refuse a seed of another kind, a wrong checksum and anything else with a TypeError", () => {
    const { seed } = generateNkey("user");
    const wrong = seed.slice(0, -1) + (seed.endsWith("A") ? "B" : "A");
    for (const text of [
      generateNkey("account").seed,
      wrong,
      seed.toLowerCase(),
      "",
      "SU",
      generateNkey("user").publicKey,
    ]) {
      expect(() => nkeyFromSeed("user", text)).toThrow(TypeError);
    }
  });

  test("never believe a signature under a damaged key", () => {
    const nkey = generateNkey("user");
    const data = Buffer.from("nonce");
    fc.assert(
      fc.property(fc.nat(55), fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), (at, letter) => {
        const damaged = nkey.publicKey.slice(0, at) + letter + nkey.publicKey.slice(at + 1);
        expect(verifyNkeySignature(damaged, data, nkey.sign(data))).toBe(damaged === nkey.publicKey);
      }),
      { numRuns: 500 },
    );
  });
});

describe("NATS JWTs", () => {
  const key = generateNkey("account");
  const token = encodeNatsJwt({ iss: key.publicKey, sub: "x", nats: { type: "user" } }, key);

  test("are read back when their issuer signed them", () => {
    expect(decodeNatsJwt(token)).toEqual({ iss: key.publicKey, sub: "x", nats: { type: "user" } });
  });

  test("are nothing when anybody else did, or anything was changed", () => {
    expect(decodeNatsJwt(encodeNatsJwt({ iss: key.publicKey }, generateNkey("account")))).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(..."Aa0_-."), (at, letter) => {
        const changed = token.slice(0, at) + letter + token.slice(at + 1);
        const claims = decodeNatsJwt(changed);
        // The last character of base64 has bits that mean nothing.
        if (claims !== undefined) expect(claims).toEqual(decodeNatsJwt(token) ?? {});
        else expect(changed).not.toBe(token);
      }),
      { numRuns: 1_000 },
    );
    for (const text of ["", "a.b", "a.b.c", "a.b.c.d", `${token}.x`]) expect(decodeNatsJwt(text)).toBeUndefined();
  });
});
