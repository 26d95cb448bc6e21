import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { signerAgent } from "../../lib/aaa/mod.ts";
import { decodeRequest, decodeRpcReply, newRequest } from "../../lib/protocol/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import logins from "../fixtures/aaa/login.json";
import signs from "../fixtures/aaa/sign.json";
import { temporaryFolder } from "../support/folder.ts";
import { post, type VectorServices, vectorConfig, vectorServices, writePolicies } from "./_vectors.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

let services: VectorServices;
beforeAll(async () => {
  writePolicies(folder.path);
  services = await vectorServices(vectorConfig(folder.path));
});

const goodLogin: Record<string, unknown> = logins.cases[0]?.request ?? {};
const goodSign: Record<string, unknown> = signs.cases[0]?.request ?? {};

/** Any value in place of a text. */
const anything = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.stringMatching(/^[0-9a-f]{0,140}$/),
  fc.base64String({ maxLength: 60 }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom("", "up=admin", "9".repeat(400), "-1", "1e9", "\u0000", "😀".repeat(80)),
);

/** A good body with one or two fields spoiled, or foreign ones added. */
function damaged(good: Record<string, unknown>): fc.Arbitrary<Record<string, unknown>> {
  const name = fc.oneof(fc.constantFrom(...Object.keys(good)), fc.string({ maxLength: 12 }), fc.constant("__proto__"));
  return fc
    .array(fc.tuple(name, anything), { minLength: 1, maxLength: 3 })
    .map((changes) => Object.fromEntries([...Object.entries(good), ...changes]));
}

/** The text of a good body, cut or with some of it replaced. */
function torn(good: Record<string, unknown>): fc.Arbitrary<string> {
  const text = JSON.stringify(good);
  return fc
    .tuple(fc.nat(text.length), fc.nat(20), fc.string({ unit: "binary", maxLength: 8 }))
    .map(([at, gap, put]) => text.slice(0, at) + put + text.slice(at + gap));
}

async function answer(path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await services.api(post(path, body));
  expect([200, 400, 413, 422]).toContain(response.status);
  const document = JSON.parse(await response.text());
  if (response.status !== 200) expect(document).toMatchObject({ message: expect.any(String) });
  return document;
}

async function stillWorks(): Promise<void> {
  expect(await answer("login", goodLogin)).toHaveProperty("token");
  expect(await answer("sign", goodSign)).toHaveProperty("secure_request");
}

describe.each([
  ["login", goodLogin, "token"],
  ["sign", goodSign, "secure_request"],
] as const)("a damaged body for %s", (path, good, success) => {
  test("of spoiled fields is answered, and never with a success it does not deserve", async () => {
    await fc.assert(
      fc.asyncProperty(damaged(good), async (body) => {
        const isSame = Object.keys(good).every((key) => body[key] === good[key]);
        const document = await answer(path, body);
        // Hex digits are the same in either case.
        if (!isSame && JSON.stringify(body).toLowerCase() !== JSON.stringify(good).toLowerCase()) {
          expect(document).not.toHaveProperty(success);
        }
      }),
      { numRuns: 1_500 },
    );
    await stillWorks();
  }, 30_000);

  test("that is cut or torn is answered", async () => {
    await fc.assert(
      fc.asyncProperty(torn(good), async (body) => {
        fc.pre(body !== "");
        await answer(path, body);
      }),
      { numRuns: 1_500 },
    );
    await stillWorks();
  }, 30_000);

  test("of arbitrary bytes is answered", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const headers = { "Content-Type": "application/json" };
        const url = `http://localhost/choria/v1/${path}`;
        const response = await services.api(new Request(url, { method: "POST", headers, body: bytes }));
        expect(response.status).toBeWithin(200, 500);
        await response.text();
      }),
      { numRuns: 500 },
    );
  });
});

describe("a request with every part spoiled", () => {
  test("is refused by the signer", async () => {
    const inner = JSON.parse(signs.cases[0]?.protocol_request ?? "{}");
    const part = fc.constantFrom(...Object.keys(inner), "filter.fact", "filter.compound");
    await fc.assert(
      fc.asyncProperty(part, anything, async (name, value) => {
        const [key = "", below] = name.split(".");
        const spoiled = { ...inner, [key]: below === undefined ? value : { ...inner.filter, [below]: value } };
        const request = Buffer.from(JSON.stringify(spoiled)).toString("base64");
        const document = await answer("sign", { ...goodSign, request });
        expect(document).not.toHaveProperty("secure_request");
      }),
      { numRuns: 1_500 },
    );
  }, 30_000);
});

describe("a damaged call of the service", () => {
  const ask = async (payload: Uint8Array) => {
    const agent = signerAgent(services.signer, silentLogger);
    const request = newRequest({
      message: payload,
      sender: "client",
      caller: "up=x",
      collective: "choria",
      agent: "aaa_signer",
      ttl: 60,
      filter: decodeRequest(Buffer.from(signs.cases[0]?.protocol_request ?? ""), { fillFilter: true }).filter,
    });
    const reply = await agent.handle({ request, payload }, new AbortController().signal);
    return decodeRpcReply(reply ?? new Uint8Array());
  };
  const { token, signature } = goodSign;
  const data = { token, signature, request: signs.cases[0]?.protocol_request };
  const call = (given: unknown) => Buffer.from(JSON.stringify({ agent: "aaa_signer", action: "sign", data: given }));

  test("ends in a refusal or a complaint", async () => {
    expect((await ask(call(data))).statuscode).toBe(0);
    await fc.assert(
      fc.asyncProperty(damaged(data), async (body) => {
        const isSame = Object.entries(data).every(([key, value]) => body[key] === value);
        const reply = await ask(call(body));
        expect([0, 1, 4]).toContain(reply.statuscode);
        if (!isSame) expect(reply.statuscode).toBeGreaterThan(0);
      }),
      { numRuns: 1_500 },
    );
    expect((await ask(call(data))).statuscode).toBe(0);
  }, 30_000);

  test("of another form ends in a complaint", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(torn({ agent: "aaa_signer", action: "sign", data }), fc.string()), async (text) => {
        await ask(Buffer.from(text));
      }),
      { numRuns: 1_000 },
    );
  }, 30_000);
});
