import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { encodeBase64Url, generateKey } from "../../lib/crypto/mod.ts";
import {
  decodeClaims,
  decodeTokenUnverified,
  issueClientToken,
  isTokenError,
  keySigner,
  signToken,
  TokenVerifier,
  verifyToken,
} from "../../lib/tokens/mod.ts";
import captured from "../fixtures/tokens-and-protocol/tokens.json";
import { FakeClock } from "../support/clock.ts";
import { issuer, now, thrownBy, tokenNamed } from "./_vectors.ts";

const key = { ed25519: issuer };
const good = fc
  .constantFrom("client_direct", "client_chained", "chain_issuer_aaa", "client_all_claims")
  .map(tokenNamed);
const judge = (token: string) => thrownBy(() => verifyToken(token, "choria_client_id", { key, now }));

/** Claims of a good token with some replaced by values of whatever kind. */
const oddClaims = fc
  .tuple(
    fc.constantFrom(...captured.tokens.map(({ claims }) => claims as object)),
    fc.dictionary(
      fc.constantFrom(
        ...["callerid", "identity", "collectives", "agents", "ou", "user_properties", "opa_policy", "permissions"],
        ...["purpose", "tcs", "public_key", "issexp", "iss", "sub", "exp", "nbf", "iat", "jti", "extensions", "cht"],
        ...["chs", "chu", "chpd", "v2", "update", "pub_subjects", "__proto__", "constructor"],
      ),
      fc.jsonValue({ maxDepth: 3 }),
      { minKeys: 1, maxKeys: 4 },
    ),
  )
  .map(([claims, odd]) => ({ ...claims, ...odd }));

describe("verifyToken()", () => {
  test("refuses a token cut short anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(good, fc.double({ min: 0, max: 0.9999, noNaN: true }), async (token, part) => {
        expect(isTokenError(await judge(token.slice(0, Math.floor(token.length * part))))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("refuses a token with any character changed", async () => {
    const letters = fc.constantFrom(..."ABCxyz019-_.=+/ é\n\0");
    await fc.assert(
      fc.asyncProperty(good, fc.nat(), letters, async (token, at, letter) => {
        const index = at % token.length;
        const changed = token.slice(0, index) + letter + token.slice(index + 1);
        const error = await judge(changed);
        // The last character of a signature carries bits that mean nothing; line ends are passed over.
        if (changed === token || index === token.length - 1) return;
        expect(isTokenError(error)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test("refuses a signature with padding, which is no part of a token", async () => {
    const token = tokenNamed("client_direct");
    expect(await judge(token)).toBeUndefined();
    expect(isTokenError(await judge(`${token}==`))).toBe(true);
  });

  test("refuses texts of every kind with an error of its own", async () => {
    const segment = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => encodeBase64Url(JSON.stringify(value))),
      fc.uint8Array().map((bytes) => encodeBase64Url(bytes)),
    );
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(segment, { maxLength: 5 }).map((all) => all.join(".")),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(isTokenError(await judge(text))).toBe(true);
        expect(isTokenError(await thrownBy(() => decodeTokenUnverified(text)))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("takes or refuses claims of wrong types, never with another error", async () => {
    const organization = generateKey();
    const signer = keySigner(organization);
    await fc.assert(
      fc.asyncProperty(oddClaims, async (claims) => {
        const token = await signToken(claims, signer);
        for (const purpose of ["choria_client_id", "choria_server", "choria_provisioning"] as const) {
          const error = await thrownBy(() =>
            verifyToken(token, purpose, { key: { ed25519: organization.publicKey }, now, pinnedChain: true }),
          );
          expect(error === undefined || isTokenError(error)).toBe(true);
        }
        const read = await thrownBy(() => decodeClaims(claims));
        expect(read === undefined || isTokenError(read)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("refuses tokens of any size quickly", async () => {
    const signer = keySigner(generateKey());
    const huge = await signToken({ purpose: "choria_client_id", callerid: "x".repeat(600_000) }, signer);
    const deep = `${encodeBase64Url('{"alg":"EdDSA"}')}.${encodeBase64Url("[".repeat(150_000))}.AAAA`;
    const nested = encodeBase64Url(`{"a":${"[".repeat(60_000)}${"]".repeat(60_000)}}`);
    const chain = await signToken(
      {
        purpose: "choria_client_id",
        iss: "C-a.b",
        tcs: "ab".repeat(100_000),
        public_key: "x",
        jti: "x",
        iat: 1,
        exp: 2,
      },
      signer,
    );
    const started = performance.now();
    for (const token of [huge, deep, `${encodeBase64Url('{"alg":"EdDSA"}')}.${nested}.AAAA`, chain, ".".repeat(1e6)]) {
      expect(isTokenError(await judge(token))).toBe(true);
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("never repeats the token in its error", async () => {
    const token = tokenNamed("neg_bad_jwt_signature");
    const [, body = "", signature = ""] = token.split(".");
    const text = String(await judge(token));
    expect(text).not.toContain(body.slice(0, 20));
    expect(text).not.toContain(signature.slice(0, 20));
  });
});

describe("TokenVerifier", () => {
  const organization = generateKey();
  const trusted = { ed25519: organization.publicKey };
  const issue = (clock: FakeClock, validity: number) =>
    issueClientToken({ callerid: "up=bob" }, { signer: keySigner(organization), now: clock.now(), validity });

  test("refuses a token that it remembers from the moment that it expires", async () => {
    const clock = new FakeClock();
    const verifier = new TokenVerifier(clock);
    const token = await issue(clock, 60_000);
    const judged = () => thrownBy(() => verifier.verify(token, "choria_client_id", trusted));
    expect(await judged()).toBeUndefined();
    await clock.advance(59_999);
    expect(await judged()).toBeUndefined();
    await clock.advance(1);
    expect(await judged()).toMatchObject({ name: "TokenExpiredError" });
    expect(await judged()).toMatchObject({ name: "TokenExpiredError" });
  });

  test("remembers for one purpose, one key and one rule alone", async () => {
    const clock = new FakeClock(now);
    const verifier = new TokenVerifier(clock);
    const token = tokenNamed("client_chained");
    const pinned = { ed25519: captured.chain_intermediate.org_signed_bytes_utf8.split(".")[1] ?? "" };
    await verifier.verify(token, "choria_client_id", pinned, { pinnedChain: true });
    for (const attempt of [
      () => verifier.verify(token, "choria_client_id", pinned),
      () => verifier.verify(token, "choria_server", pinned, { pinnedChain: true }),
      () => verifier.verify(token, "choria_client_id", { ed25519: generateKey().publicKey }, { pinnedChain: true }),
      () => verifier.verify(`${token}x`, "choria_client_id", pinned, { pinnedChain: true }),
    ]) {
      expect(isTokenError(await thrownBy(attempt))).toBe(true);
    }
  });

  test("does not remember what it refused", async () => {
    const clock = new FakeClock();
    const verifier = new TokenVerifier(clock);
    const token = await issue(new FakeClock(clock.now() + 30_000), 60_000);
    const judged = () => thrownBy(() => verifier.verify(token, "choria_client_id", trusted));
    expect(String(await judged())).toContain("token is not valid yet");
    await clock.advance(30_000);
    expect(await judged()).toBeUndefined();
  });

  test("holds no more tokens than it may and still judges rightly", async () => {
    const clock = new FakeClock();
    const verifier = new TokenVerifier(clock, 2);
    const tokens = await Promise.all([1, 2, 3].map(() => issue(clock, 60_000)));
    for (const token of [...tokens, ...tokens]) {
      expect((await verifier.verify(token, "choria_client_id", trusted)).callerid).toBe("up=bob");
    }
    await clock.advance(60_000);
    for (const token of tokens) {
      expect(isTokenError(await thrownBy(() => verifier.verify(token, "choria_client_id", trusted)))).toBe(true);
    }
  });
});
