import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeBase64,
  decodeBase64Url,
  decodeHex,
  encodeBase64,
  encodeBase64Url,
  equalSecrets,
  md5Hex,
  sha256,
  sha256Hex,
} from "../../lib/crypto/mod.ts";
import ids from "../fixtures/tokens-and-protocol/ids.json";

const bytes = fc.uint8Array({ maxLength: 300 });

describe("base64", () => {
  test("comes back as what was encoded, in both alphabets", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(decodeBase64(encodeBase64(data))).toEqual(data);
        expect(decodeBase64Url(encodeBase64Url(data))).toEqual(data);
        expect(encodeBase64Url(data)).not.toMatch(/[+/=]/);
      }),
      { numRuns: 2_000 },
    );
  });

  test("encodes only the bytes that a view shows", () => {
    const whole = new Uint8Array([1, 2, 3, 4, 5]);
    expect(encodeBase64(whole.subarray(1, 3))).toBe(encodeBase64(new Uint8Array([2, 3])));
  });

  test("of the standard kind is padded, has no other characters and no stray bits", () => {
    expect(decodeBase64("YQ==")).toEqual(new Uint8Array([97]));
    expect(decodeBase64("YQ\r\n==")).toEqual(new Uint8Array([97]));
    for (const text of ["YQ", "YQ=", "YR==", "-_==", "Y", "YQ==YQ==", "é"]) expect(decodeBase64(text)).toBeUndefined();
  });

  test("of the URL kind has no padding and no other characters", () => {
    expect(decodeBase64Url("YQ")).toEqual(new Uint8Array([97]));
    for (const text of ["YQ==", "+/", "Y", "é"]) expect(decodeBase64Url(text)).toBeUndefined();
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const decoded of [decodeBase64(text), decodeBase64Url(text), decodeHex(text)]) {
          expect(decoded === undefined || decoded instanceof Uint8Array).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test("decodeHex() takes either case and any length, and refuses the rest", () => {
  expect(decodeHex("00fFAb")).toEqual(new Uint8Array([0, 255, 171]));
  expect(decodeHex("")).toEqual(new Uint8Array());
  expect(decodeHex("ab".repeat(2_000_000))?.length).toBe(2_000_000);
  for (const text of ["a", "0g", "0x00", " 00", "00\n"]) expect(decodeHex(text)).toBeUndefined();
});

test.each(ids.private_network_ids)("digests of $caller_or_identity are the original's", (id) => {
  expect(md5Hex(id.caller_or_identity)).toBe(id.md5);
  expect(sha256Hex(id.caller_or_identity)).toBe(id.sha256_fips_only);
  expect(sha256(id.caller_or_identity).toHex()).toBe(id.sha256_fips_only);
});

test("equalSecrets() compares texts of any length", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => expect(equalSecrets(a, b)).toBe(a === b)));
  expect(equalSecrets("same", "same")).toBe(true);
});
