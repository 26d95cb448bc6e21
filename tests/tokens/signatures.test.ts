import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compactVerify } from "jose";
import { encodeBase64Url, generateKey, publicKeyObject } from "../../lib/crypto/mod.ts";
import { keySigner, parseToken, signToken, TokenVerifier, verifyToken } from "../../lib/tokens/mod.ts";
import captured from "../fixtures/tokens-and-protocol/tokens.json";
import { FakeClock } from "../support/clock.ts";
import { TestOrganization } from "../support/organization.ts";
import { issuer, keyNamed, now, thrownBy, tokenNamed } from "./_vectors.ts";

const keys = [issuer, captured.rogue_public_key, keyNamed("aaa-chain-issuer").publicKey];

/** Whether the signature alone is at fault. Provisioning tokens have no chain, so the key given is the one used. */
async function isRefusedForSignature(token: string, ed25519: string): Promise<boolean> {
  const error = await thrownBy(() => verifyToken(token, "choria_provisioning", { key: { ed25519 }, now }));
  return String(error).includes("token signature is invalid: ed25519: verification error");
}

async function isRefusedByJose(token: string, ed25519: string): Promise<boolean> {
  const key = publicKeyObject(ed25519);
  if (key === undefined) throw new Error("expected a key");
  return (await thrownBy(() => compactVerify(token, key, { algorithms: ["EdDSA"] }))) !== undefined;
}

describe("ed25519 signatures of tokens are judged as jose judges them", () => {
  const signed = captured.tokens.filter(({ token }) => token.split(".").length === 3);
  const pairs = signed.flatMap(({ name, token }) => keys.map((key) => [name, key.slice(0, 8), token, key] as const));

  test.each(pairs)("%s with the key %s", async (_name, _short, token, key) => {
    const error = String(
      await thrownBy(() => verifyToken(token, "choria_provisioning", { key: { ed25519: key }, now })),
    );
    if (!/required|signing method|malformed/.test(error)) {
      expect(await isRefusedForSignature(token, key)).toBe(await isRefusedByJose(token, key));
    }
  });

  test("whatever is put in place of a part of the signature, or into it", async () => {
    const token = tokenNamed("client_direct");
    const start = token.lastIndexOf(".") + 1;
    const letters = fc.string({ unit: fc.constantFrom(..."ABCxyz019-_+/= \t é\0"), maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.nat(87), fc.nat(3), letters, async (at, length, text) => {
        const from = start + at;
        const changed = token.slice(0, from) + text + token.slice(from + length);
        if (changed.trim() !== changed || changed.split(".").length !== 3) return;
        // Padding is the one thing that jose passes over and the original does not.
        const isRefused = changed.includes("=") || (await isRefusedByJose(changed, issuer));
        expect(await isRefusedForSignature(changed, issuer)).toBe(isRefused);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a signature with padding is refused, as the original refuses it", async () => {
  expect(await isRefusedForSignature(tokenNamed("client_direct"), issuer)).toBe(false);
  expect(await isRefusedForSignature(`${tokenNamed("client_direct")}==`, issuer)).toBe(true);
});

test("a token whose header asks for what nobody here understands is refused, however well it is signed", async () => {
  const key = generateKey();
  const body = encodeBase64Url(
    JSON.stringify({ purpose: "choria_client_id", callerid: "up=x", exp: now / 1_000 + 60 }),
  );
  const make = (header: object) => {
    const text = `${encodeBase64Url(JSON.stringify({ alg: "EdDSA", ...header }))}.${body}`;
    return `${text}.${encodeBase64Url(key.sign(Buffer.from(text)))}`;
  };
  const options = { key: { ed25519: key.publicKey }, now };
  expect(await verifyToken(make({}), "choria_client_id", options)).toMatchObject({ callerid: "up=x" });
  for (const crit of [["more"], [], null, "more", ["b64"]]) {
    const error = await thrownBy(() => verifyToken(make({ crit, more: 1 }), "choria_client_id", options));
    expect(String(error)).toContain("token signature is invalid");
  }
});

test("a voucher that held is remembered for the very same bytes alone", async () => {
  const organization = new TestOrganization(now);
  const by = await organization.chainIssuer("aaa");
  const { token } = await organization.client({ callerid: "up=x" }, { by });
  const judge = async (text: string, ed25519 = organization.issuer.publicKey) =>
    String(await thrownBy(() => verifyToken(text, "choria_client_id", { key: { ed25519 }, now })));
  const refused = "chain issuer credentials not signed by org issuer";
  expect(await judge(token)).toBe("undefined");
  expect(await judge(token)).toBe("undefined");
  expect(await judge(token, generateKey().publicKey)).toContain(refused);
  const { raw } = parseToken(token);
  const forged = (claims: object) => signToken({ ...raw, ...claims }, keySigner(by.key));
  const [ours = "", rest = ""] = String(raw.tcs).split(".");
  const damaged = `${ours.startsWith("00") ? "01" : "00"}${ours.slice(2)}.${rest}`;
  expect(await judge(await forged({ tcs: damaged }))).toContain(refused);
  expect(await judge(await forged({ iss: `C-another.${by.key.publicKey}` }))).toContain(refused);
  expect(await judge(await forged({ iss: String(raw.iss).replace(/\w{64}$/, generateKey().publicKey) }))).toContain(
    refused,
  );
});

describe("a remembered token", () => {
  const claims = { callerid: "up=x", ou: "choria" };

  test("is refused as soon as its organization has another key", async () => {
    const organization = new TestOrganization(now);
    const { token } = await organization.client(claims);
    const tokens = new TokenVerifier(new FakeClock(now));
    let ed25519 = organization.issuer.publicKey;
    const judge = () => thrownBy(() => tokens.verify(token, "choria_client_id", () => ({ ed25519 })));
    expect(await judge()).toBeUndefined();
    ed25519 = generateKey().publicKey;
    expect(String(await judge())).toContain("token signature is invalid");
    ed25519 = organization.issuer.publicKey;
    expect(await judge()).toBeUndefined();
  });

  test("is refused when its organization is not trusted any more, or for another purpose", async () => {
    const organization = new TestOrganization(now);
    const { token } = await organization.client(claims);
    const tokens = new TokenVerifier(new FakeClock(now));
    const asked: unknown[] = [];
    const key = { ed25519: organization.issuer.publicKey };
    const keyOf = (ou: unknown) => {
      asked.push(ou);
      if (asked.length > 2) throw new Error("not trusted");
      return key;
    };
    await tokens.verify(token, "choria_client_id", keyOf);
    await tokens.verify(token, "choria_client_id", keyOf);
    await expect(tokens.verify(token, "choria_client_id", keyOf)).rejects.toThrow("not trusted");
    expect(asked).toEqual(["choria", "choria", "choria"]);
    await expect(tokens.verify(token, "choria_server", key)).rejects.toThrow("not a server token");
  });
});
