import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isObject } from "../../lib/std/mod.ts";
import { parseToken, verifyToken } from "../../lib/tokens/mod.ts";
import vectors from "../fixtures/aaa/login.json";
import { temporaryFolder } from "../support/folder.ts";
import {
  fixture,
  post,
  type VectorServices,
  vectorConfig,
  vectorServices,
  vectorTime,
  writePolicies,
} from "./_vectors.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

let services: VectorServices;
beforeAll(async () => {
  writePolicies(folder.path);
  services = await vectorServices(vectorConfig(folder.path));
});

async function login(request: unknown): Promise<{ status: number; text: string }> {
  const response = await services.api(post("login", request));
  return { status: response.status, text: await response.text() };
}

/** Claims without what is new in every token. */
function lasting(claims: unknown): unknown {
  if (!isObject(claims)) throw new Error("There are no claims");
  const { jti: _, tcs, ...rest } = claims;
  return { ...rest, issuerTcs: typeof tcs === "string" ? tcs.split(".")[0] : undefined };
}

const good = vectors.cases.filter((each) => each.token_decoded !== undefined);
const bad = vectors.cases.filter((each) => each.token_decoded === undefined);

describe("a login of the vectors", () => {
  test.each(good.map((each) => [each.case, each] as const))(
    "%s gets the token that the original makes",
    async (_, each) => {
      const { status, text } = await login(each.request);

      expect(status).toBe(200);
      expect(text).toEndWith("\n");
      const { token } = JSON.parse(text);
      const { raw } = parseToken(token);
      expect(Object.keys(raw)).toEqual(Object.keys(each.token_decoded?.claims ?? {}));
      expect(lasting(raw)).toEqual(lasting(each.token_decoded?.claims));
      const header = JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString());
      expect(header).toEqual(each.token_decoded?.header ?? {});
    },
  );

  test.each(good.map((each) => [each.case, each] as const))("%s gets a token whose chain holds", async (_, each) => {
    const { token } = JSON.parse((await login(each.request)).text);
    const issuer = (await Bun.file(fixture("creds/issuer.public")).text()).trim();
    const claims = await verifyToken(token, "choria_client_id", { key: { ed25519: issuer }, now: vectorTime });
    expect(claims.public_key).toBe(vectors.client_public);
  });

  // The last of them makes the original drop the connection.
  test.each(bad.map((each) => [each.case, each] as const))("%s fails without a word of why", async (_, each) => {
    const { status, text } = await login(each.request);
    expect(status).toBe(200);
    expect(text).toBe(each.response_body ?? '{"error":"Login failed"}\n');
  });

  test("there are as many as were captured", () => {
    expect([good.length, bad.length]).toEqual([15, 11]);
  });
});
