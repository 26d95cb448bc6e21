import { describe, expect, test } from "bun:test";
import {
  chainIssuerClaims,
  chainIssuerOf,
  decodeTokenUnverified,
  expiryOf,
  holderOf,
  isChainIssuer,
  isTokenError,
  isVouchedChainIssuer,
  parseToken,
  privateNetworkId,
  purposeOf,
  type TokenPurpose,
  verifyToken,
} from "../../lib/tokens/mod.ts";
import captured from "../fixtures/tokens-and-protocol/tokens.json";
import older from "../fixtures/tokens-and-protocol/tokens-older-library.json";
import { issuer, keyNamed, now, thrownBy, tokenNamed } from "./_vectors.ts";

const purposes = [
  ["as_client", "choria_client_id"],
  ["as_server", "choria_server"],
  ["as_provisioning", "choria_provisioning"],
] as const;

/** Text of the error, or null as the captures have it. */
async function verdict(token: string, purpose: TokenPurpose, ed25519: string, pinnedChain = false) {
  const error = await thrownBy(() => verifyToken(token, purpose, { key: { ed25519 }, now, pinnedChain }));
  if (error === undefined) return null;
  expect(isTokenError(error)).toBe(true);
  return error instanceof Error ? error.message : String(error);
}

describe.each(captured.tokens.map((token) => [token.name, token] as const))("the captured token %s", (_name, token) => {
  test.each(purposes)("is judged as the original judges it %s", async (as, purpose) => {
    const expected = token.verify_with_issuer_public_key[as];
    expect(await verdict(token.token, purpose, issuer)).toBe(expected.error);
    expect(expected.ok).toBe(expected.error === null);
  });

  test("is judged as the original judges it against another organization", async () => {
    const { error } = token.verify_with_rogue_public_key_as_client;
    expect(await verdict(token.token, "choria_client_id", captured.rogue_public_key)).toBe(error);
  });

  test("is read as the original reads it", () => {
    const { raw } = parseToken(token.token);
    expect(raw).toEqual(token.claims);
    if (purposeOf(raw) === undefined) {
      expect(() => decodeTokenUnverified(token.token)).toThrow('unknown token purpose "choria_other"');
      return;
    }
    const claims = decodeTokenUnverified(token.token);
    if (token.unique_id !== undefined) {
      expect(holderOf(claims)).toBe(token.unique_id.id);
      expect(privateNetworkId(token.unique_id.id)).toBe(token.unique_id.uid);
    }
    if (token.is_chained_issuer_unverified !== undefined) {
      expect(isChainIssuer(claims)).toBe(token.is_chained_issuer_unverified);
      expect(isVouchedChainIssuer(claims)).toBe(token.is_chained_issuer_verified);
    }
    if (typeof token.expire_time_unix === "number" && token.expire_time_unix > 0) {
      expect(expiryOf(claims)).toBe(token.expire_time_unix);
    }
  });
});

test("there are as many verdicts as were captured", () => {
  expect(captured.tokens).toHaveLength(39);
  expect(older.tokens).toHaveLength(39);
});

/**
 * The library inside the original AAA service took any chain. With the key of a chain issuer configured, as the
 * compose environment has it, ours takes the chains of that issuer and no others.
 */
describe("a pinned chain", () => {
  const pinned = keyNamed("aaa-chain-issuer").publicKey;
  const configured = [
    ["with_issuer_key", issuer],
    ["with_aaa-chain-issuer_key", pinned],
    ["with_rogue_key", captured.rogue_public_key],
  ] as const;
  const stricter = new Map([
    ["with_issuer_key/neg_chain_issuer_not_signed_by_org", "the organization did not sign the chain issuer"],
    ["with_issuer_key/neg_chain_of_rogue_org", "it is another organization's chain"],
    ["with_aaa-chain-issuer_key/server_chained", "another chain issuer made it than the one configured"],
    ["with_aaa-chain-issuer_key/neg_chain_of_rogue_org", "it is another organization's chain"],
    ["with_rogue_key/client_chained", "the configured key stands nowhere in its chain"],
    ["with_rogue_key/server_chained", "the configured key stands nowhere in its chain"],
    ["with_rogue_key/quirk_chain_iss_upper_hex", "the configured key stands nowhere in its chain"],
  ]);
  const looser = new Map([
    ["with_issuer_key/quirk_iat_future", "the newer library does not look at iat either, and nbf says the same"],
  ]);

  for (const token of older.tokens) {
    for (const [name, key] of configured) {
      for (const [as, purpose] of purposes.slice(0, 2)) {
        const theirs = token[name][as as "as_client" | "as_server"];
        const id = `${name}/${token.name}`;
        const why = theirs.ok ? stricter.get(id) : looser.get(id);
        const expected =
          theirs.ok && stricter.has(id) ? false : theirs.ok || (purpose === "choria_client_id" && looser.has(id));
        test(`${id} ${as} is ${expected ? "accepted" : "refused"}${why ? `: ${why}` : ""}`, async () => {
          expect((await verdict(tokenNamed(token.name), purpose, key, true)) === null).toBe(expected);
        });
      }
    }
  }

  test("accepts the login token of the compose environment, whose AAA service knows the chain issuer alone", async () => {
    expect(await verdict(tokenNamed("client_chained"), "choria_client_id", pinned)).toContain(
      "not signed by org issuer",
    );
    expect(await verdict(tokenNamed("client_chained"), "choria_client_id", pinned, true)).toBeNull();
  });
});

test("a chain is made of the very bytes that the original signs", async () => {
  const { chain_intermediate: expected } = captured;
  const organization = keyNamed("issuer");
  const [jti = "", publicKey] = expected.org_signed_bytes_utf8.split(".");
  expect(await chainIssuerClaims(jti, publicKey, organization)).toEqual({
    iss: `I-${issuer}`,
    tcs: expected.org_signature_hex,
  });
  const user = decodeTokenUnverified(tokenNamed("client_chained"));
  expect(user.tcs).toBe(expected.user_tcs);
  expect(user.iss).toBe(expected.user_iss);
  expect(chainIssuerOf(user)).toEqual({ id: jti, publicKey: publicKey ?? "" });
  const signature = keyNamed("aaa-chain-issuer").sign(Buffer.from(expected.user_signed_bytes_utf8));
  expect(signature.toHex()).toBe(expected.user_signature_hex);
});
