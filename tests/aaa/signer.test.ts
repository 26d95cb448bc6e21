import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import {
  type AaaConfig,
  type AuditRecord,
  noMetrics,
  RequestAuthorizer,
  type SignAnswer,
  SigningService,
} from "../../lib/aaa/mod.ts";
import { loadRegoEngine, type PolicyEngine } from "../../lib/policy/mod.ts";
import { decodeRequest, emptyFilter, encodeRequest, newRequest, type Request } from "../../lib/protocol/mod.ts";
import { HeldCredentials } from "../../lib/security/mod.ts";
import { isObject } from "../../lib/std/mod.ts";
import { type ClientClaims, issueClientToken, TokenVerifier, type VerifyKey } from "../../lib/tokens/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { vectorTime } from "./_vectors.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const organization = new TestOrganization(vectorTime);
let chain: Member;
let delegate: Member;
let engine: PolicyEngine;
beforeAll(async () => {
  chain = await organization.chainIssuer("aaa_chain_delegator");
  delegate = await organization.client(
    { callerid: "aaa_request_signer", permissions: { authentication_delegator: true } },
    { validity: 86_400_000 },
  );
  engine = await loadRegoEngine();
});

interface Stage {
  signer: SigningService;
  clock: FakeClock;
  logger: RecordingLogger;
  records: AuditRecord[];
  files: { tokenFile: string; seedFile: string };
}

function stage(
  changes: { key?: VerifyKey; by?: NonNullable<AaaConfig["signer"]>["authorizer"]; bearer?: boolean } = {},
): Stage {
  const { key = { ed25519: chain.key.publicKey }, by = "actionlist", bearer = false } = changes;
  const clock = new FakeClock(vectorTime);
  const logger = new RecordingLogger();
  const records: AuditRecord[] = [];
  const files = delegate.save(folder.file("delegate"));
  const signer = new SigningService({
    tokens: new TokenVerifier(clock),
    key,
    maxValidity: 7_200_000,
    allowBearerTokens: bearer,
    authorizer: new RequestAuthorizer({ name: by, site: "test", engine, metrics: noMetrics }),
    audit: { record: (record) => records.push(record) },
    delegate: new HeldCredentials(files, clock),
    clock,
    logger,
    metrics: noMetrics,
  });
  return { signer, clock, logger, records, files };
}

function user(claims: Partial<ClientClaims> = {}, options: { validity?: number; by?: Member } = {}): Promise<Member> {
  return organization.client({ callerid: "up=bob", agents: ["*"], ...claims }, { by: chain, ...options });
}

function requestOf(
  changes: Partial<Request> = {},
  rpc: unknown = { agent: "rpcutil", action: "ping", data: {} },
): Request {
  return {
    ...newRequest(
      {
        message: Buffer.from(JSON.stringify(rpc)),
        sender: "client.example.net",
        caller: "up=claimed",
        collective: "choria",
        agent: "rpcutil",
        ttl: 60,
        filter: emptyFilter(),
      },
      vectorTime,
    ),
    ...changes,
  };
}

function ask({ signer }: Stage, by: Member, request = requestOf()): Promise<SignAnswer> {
  const bytes = encodeRequest(request);
  return signer.sign({ token: by.token, request: bytes, signature: by.key.sign(bytes).toHex() });
}

function detail({ logger }: Stage): string | undefined {
  return logger.messages.find((message) => message.startsWith("Signing failed: "));
}

describe("the signer believes a token", () => {
  test("whose chain issuer is the configured key itself", async () => {
    expect(await ask(stage(), await user())).toHaveProperty("secureRequest");
  });

  test("whose chain ends in the configured organization", async () => {
    const whole = stage({ key: { ed25519: organization.issuer.publicKey } });
    expect(await ask(whole, await user())).toHaveProperty("secureRequest");
  });

  test("that the configured key signed without a chain", async () => {
    const whole = stage({ key: { ed25519: organization.issuer.publicKey } });
    const member = await organization.client({ callerid: "up=bob", agents: ["*"] });
    expect(await ask(whole, member)).toHaveProperty("secureRequest");
  });

  test("that an RSA key signed", async () => {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const privateKey = createPrivateKey(pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const member = await user();
    const token = await issueClientToken(
      { callerid: "up=bob", agents: ["*"], public_key: member.key.publicKey },
      { signer: { algorithm: "RS256", sign: async (data) => signBytes("sha256", data, privateKey) }, now: vectorTime },
    );
    const rsa = createPublicKey(pair.publicKey.export({ type: "spki", format: "pem" }).toString());
    expect(await ask(stage({ key: { rsa } }), { ...member, token })).toHaveProperty("secureRequest");
  });
});

describe("the signer does not believe a token", () => {
  test("of a chain that somebody made for themselves", async () => {
    const foreign = await new TestOrganization(vectorTime).chainIssuer("aaa_chain_delegator");
    const foreignUser = await user({}, { by: foreign });
    for (const key of [chain.key.publicKey, organization.issuer.publicKey]) {
      const set = stage({ key: { ed25519: key } });
      expect(await ask(set, foreignUser)).toEqual({ denied: true });
      expect(set.records.map(({ action, caller }) => [action, caller])).toEqual([["deny", "up=claimed"]]);
    }
  });

  test.each<[string, () => Promise<Member>, RegExp]>([
    ["whose time is over", () => user({}, { validity: 1_000 }), /token is expired/],
    [
      "that lasts longer than it may",
      () => user({}, { validity: 7_201_000 }),
      /expiry is not set or it is too far in the future/,
    ],
    [
      "of a server",
      () => organization.server({ identity: "x", collectives: ["choria"] }, { by: chain }),
      /not a client token/,
    ],
  ])("%s", async (_, make, reason) => {
    const set = stage();
    const member = await make();
    if (reason.source.includes("expired")) await set.clock.advance(2_000);
    expect(await ask(set, member)).toEqual({ denied: true });
    expect(detail(set)).toMatch(reason);
    expect(detail(set)).toStartWith("Signing failed: invalid token: ");
  });

  test("save that of a service may last as long as it likes", async () => {
    const member = await user({ permissions: { service: true } }, { validity: 80_000_000 });
    expect(await ask(stage(), member)).toHaveProperty("secureRequest");
  });
});

describe("the signature over a request", () => {
  test("must be there, unless bearer tokens are allowed", async () => {
    const member = await user();
    const unsigned = { token: member.token, request: encodeRequest(requestOf()), signature: "" };
    const strict = stage();
    expect(await strict.signer.sign(unsigned)).toEqual({ denied: true });
    expect(detail(strict)).toBe("Signing failed: invalid signature: no signature");
    expect(await stage({ bearer: true }).signer.sign(unsigned)).toHaveProperty("secureRequest");
  });

  test("must hold even where it need not be there", async () => {
    const member = await user();
    const set = stage({ bearer: true });
    const request = encodeRequest(requestOf());
    for (const signature of ["zz", "00", member.key.sign(encodeRequest(requestOf({ ttl: 61 }))).toHex()]) {
      expect(await set.signer.sign({ token: member.token, request, signature })).toEqual({ denied: true });
    }
  });

  test("must be made with the key of the token", async () => {
    const [one, other] = [await user(), await user()];
    const set = stage();
    expect(await ask(set, { ...one, key: other.key })).toEqual({ denied: true });
    expect(detail(set)).toBe("Signing failed: invalid signature: invalid request signature");
  });
});

describe("a signed request", () => {
  test("names the holder of the token and keeps every digit of the time", async () => {
    const set = stage();
    const asked = requestOf({ time: 1_795_321_540_497_000_123n });
    const answer = await ask(set, await user({ callerid: "up=dot.user@example.net" }), asked);
    if (!("secureRequest" in answer)) throw new Error("It was not signed");
    expect(decodeRequest(answer.secureRequest.request)).toEqual({ ...asked, caller: "up=dot_user_example_net" });
    expect(answer.secureRequest.caller).toBe(delegate.token);
    expect(answer.secureRequest.signer).toBe(delegate.token);
  });

  test("is recorded before it is handed out", async () => {
    const set = stage();
    const answer = await ask(set, await user());
    if (!("secureRequest" in answer)) throw new Error("It was not signed");
    const request = Buffer.from(answer.secureRequest.request).toString();
    expect(set.records).toEqual([{ action: "allow", caller: "up=bob", request, time: vectorTime }]);
  });

  test("is not made for a caller without a name", async () => {
    const set = stage();
    expect(await ask(set, await user({ callerid: "" }))).toEqual({ denied: true });
    expect(detail(set)).toBe("Signing failed: could not set caller id: no caller received in claims");
  });
});

describe("a refusal", () => {
  test("names the reason to a caller whom only the policy refused, and records the true name", async () => {
    const set = stage();
    const answer = await ask(set, await user({ agents: ["package.status"] }));
    const reason = "no entry of the action list allows rpcutil.ping";
    expect(answer).toEqual({ denied: true, reason });
    expect(detail(set)).toBe(`Signing failed: authorization failed: ${reason}`);
    expect(set.records.map(({ action, caller }) => [action, caller])).toEqual([["deny", "up=bob"]]);
  });

  test("gives the reason in one line of bounded length", async () => {
    const opa_policy = `bad\n${"x y z\n".repeat(2_000)}`;
    const answer = await ask(stage({ by: "opa" }), await user({ agents: [], opa_policy }));
    const reason = "reason" in answer ? (answer.reason ?? "") : "";
    expect(reason).toStartWith("OPA policy evaluation failed: could not initialize opa evaluator: ");
    expect(reason).not.toContain("\n");
    expect(reason.length).toBeLessThanOrEqual(500);
  });

  // Stricter than the original, which judges one agent while servers hand the request to the other.
  test("meets a request whose message is for another agent", async () => {
    const answer = await ask(stage(), await user(), requestOf({ agent: "package" }));
    expect(answer).toEqual({
      denied: true,
      reason: "the request is for the agent package and its message for the agent rpcutil",
    });
  });

  // Stricter than the original, whose servers read keys without regard to case.
  test.each(["AGENT", "Action", "dAtA"])("meets a message that also holds the key %s", async (key) => {
    const rpc = { agent: "rpcutil", action: "ping", data: {}, [key]: "choria_provision" };
    const answer = await ask(stage(), await user(), requestOf({}, rpc));
    expect(answer).toMatchObject({ denied: true, reason: expect.stringContaining(key) });
  });

  test.each([
    ["a list", ["a"]],
    ["a text", "ping"],
    ["a call without an action", { agent: "rpcutil" }],
    ["a call with a list of data", { agent: "rpcutil", action: "ping", data: [] }],
  ])("meets a message that is %s", async (_, rpc) => {
    expect(await ask(stage(), await user(), requestOf({}, rpc))).toHaveProperty("reason");
  });

  test("meets whatever is no request, without a record", async () => {
    const set = stage();
    const member = await user();
    for (const text of ["hello", '{"protocol":"io.choria.protocol.v2.reply"}', '{"protocol":"choria:request:1"}']) {
      const request = Buffer.from(text);
      const signature = member.key.sign(request).toHex();
      expect(await set.signer.sign({ token: member.token, request, signature })).toEqual({ denied: true });
    }
    expect(set.records).toEqual([]);
    expect(set.logger.messages.every((message) => message.startsWith("Signing failed: invalid request: "))).toBe(true);
  });
});

describe("the delegate", () => {
  test("is read again when its files change", async () => {
    const set = stage();
    const member = await user();
    await ask(set, member);
    const renewed = await organization.client({ callerid: "renewed", permissions: { authentication_delegator: true } });
    renewed.save(folder.file("delegate"));
    const answer = await ask(set, member);
    expect("secureRequest" in answer ? answer.secureRequest.signer : "").toBe(renewed.token);
  });

  test.each<[string, (files: Stage["files"]) => void]>([
    ["is gone", ({ tokenFile }) => rmSync(tokenFile)],
    ["is empty", ({ tokenFile }) => writeFileSync(tokenFile, "")],
    ["belongs to another key", ({ seedFile }) => writeFileSync(seedFile, "09".repeat(32))],
  ])("signs nothing while its token %s, and nothing is recorded as allowed", async (_, spoil) => {
    const set = stage();
    spoil(set.files);
    expect(await ask(set, await user())).toEqual({ denied: true });
    expect(detail(set)).toStartWith("Signing failed: secure request failed: ");
    expect(set.records).toEqual([]);
    delegate.save(folder.file("delegate"));
    expect(await ask(set, await user())).toHaveProperty("secureRequest");
  });

  test("signs nothing once its time is over", async () => {
    const set = stage();
    const short = await organization.client({ callerid: "short" }, { validity: 5_000 });
    short.save(folder.file("delegate"));
    const member = await user();
    expect(await ask(set, member)).toHaveProperty("secureRequest");
    await set.clock.advance(6_000);
    expect(await ask(set, member)).toEqual({ denied: true });
  });
});

describe("what is logged", () => {
  test("holds neither tokens nor signatures", async () => {
    const set = stage();
    const member = await user();
    await ask(set, member);
    await ask(set, await user({ agents: ["x.y"] }));
    const text = JSON.stringify(set.logger.lines);
    expect(text).not.toContain(member.token.slice(0, 40));
    expect(set.logger.lines.every(({ fields }) => isObject(fields))).toBe(true);
  });

  test("is what operators of the original look for", async () => {
    const set = stage();
    const asked = requestOf();
    await ask(set, await user(), asked);
    await ask(set, await user({ agents: ["x.y"] }), asked);
    expect(set.logger.messages).toEqual([
      `Allowing request ${asked.id} from up=bob@client.example.net for rpcutil`,
      `Denying request ${asked.id} from up=bob@client.example.net for agent rpcutil`,
      "Signing failed: authorization failed: no entry of the action list allows rpcutil.ping",
    ]);
  });
});
