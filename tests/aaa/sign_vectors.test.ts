import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { verifySignature } from "../../lib/crypto/mod.ts";
import { decodeRequest, decodeSecureRequest } from "../../lib/protocol/mod.ts";
import lists from "../fixtures/aaa/actionlist.json";
import vectors from "../fixtures/aaa/sign.json";
import { temporaryFolder } from "../support/folder.ts";
import { fixture, post, type VectorServices, vectorConfig, vectorServices, writePolicies } from "./_vectors.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const delegate = readFileSync(fixture("creds/reqsigner.public"), "utf8").trim();
const delegateToken = readFileSync(fixture("creds/reqsigner.jwt"), "utf8").trim();

/** Cases in which ours signs, on purpose, what the original refuses or dies of. */
const signedHere: Readonly<Record<string, string>> = {
  v1only: "policies of either dialect are understood",
  filt_with_fact: "requires_filter() works",
  fact_all: "the other functions of filters work",
};

/** Cases in which the policy, and nothing else, refused. */
const toldWhy = [
  "choria_denied_provision",
  "streams_no_policy",
  "acl_user_with_opa_authorizer",
  "badpolicy",
  "wrongpkg",
  "nodefault",
  "nonbool",
  "filt",
  "fact",
  "filt_null_filter",
  "outer_inner_agent_mismatch",
  "message_not_rpc",
  "data_array",
  "data_missing",
  "acl_deny",
  "acl_invalid_entry",
  "acl_none",
];

interface SignCase {
  case: string;
  protocol_request: string;
  request: unknown;
  response_body?: string;
  decoded?: { inner_raw: string; secure_request: { signature: string } };
}

async function sign(services: VectorServices, request: unknown): Promise<{ secure_request?: string; error?: string }> {
  const response = await services.api(post("sign", request));
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
}

async function check(services: VectorServices, each: SignCase): Promise<void> {
  services.records.length = 0;
  const answer = await sign(services, each.request);
  if (each.decoded === undefined && !(each.case in signedHere)) {
    const reasoned = toldWhy.includes(each.case);
    expect(answer.error ?? "signed").toMatch(reasoned ? /^Request denied: ./ : /^Request denied$/);
    return;
  }
  expect(answer.error).toBeUndefined();
  const secure = decodeSecureRequest(Uint8Array.fromBase64(answer.secure_request ?? ""));
  expect(secure.caller).toBe(delegateToken);
  expect(secure.signer).toBe(delegateToken);
  expect(verifySignature(delegate, secure.request, secure.signature)).toBe(true);
  const asked = decodeRequest(Buffer.from(each.protocol_request), { fillFilter: true });
  const { caller } = decodeRequest(secure.request);
  expect(decodeRequest(secure.request)).toEqual({ ...asked, caller });
  if (each.decoded !== undefined) {
    expect(Buffer.from(secure.request).toString()).toBe(each.decoded.inner_raw);
    expect(Buffer.from(secure.signature).toString("base64")).toBe(each.decoded.secure_request.signature);
  }
  const records = services.records.map(({ action, caller, request }) => ({ action, caller, request }));
  expect(records).toEqual([{ action: "allow", caller, request: Buffer.from(secure.request).toString() }]);
}

describe("a request of the vectors, judged by policies", () => {
  let services: VectorServices;
  beforeAll(async () => {
    writePolicies(folder.path);
    services = await vectorServices(vectorConfig(folder.path));
  });

  const cases: SignCase[] = vectors.cases;
  test.each(cases.map((each) => [each.case, each] as const))(
    "%s is signed, or refused, as by the original",
    async (_, each) => {
      await check(services, each);
    },
  );

  test("is recorded as by the original, save what the original does not survive", async () => {
    const original = readFileSync(fixture("audit_logfile.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    services.records.length = 0;
    for (const each of cases) await sign(services, each.request);
    const { records } = services;
    for (const line of original.filter(({ time }) => time === "2026-11-22T04:25:40Z")) {
      // The original takes requests of the old protocol far enough to record them.
      if (!line.msg.includes("io.choria.protocol.v2.request")) continue;
      const { id } = JSON.parse(line.msg);
      const found = records.find((record) => JSON.parse(record.request).id === id);
      const { caller, msg } = line;
      const action = vectors.cases.some((each) => each.case === "v1only" && each.protocol_request.includes(id))
        ? "allow"
        : line.action;
      expect(found).toEqual({ action, caller, request: msg, time: Date.parse(line.time) });
    }
  });
});

describe("a request of the vectors, judged by action lists", () => {
  let services: VectorServices;
  beforeAll(async () => {
    const config = vectorConfig(folder.path, (changes) => {
      Object.assign(changes, { authorizer: "actionlist" });
      Object.assign(changes.basicjwt_signer ?? {}, { max_validity: "30m", allow_bearer_tokens: true });
    });
    services = await vectorServices(config, { now: 1_795_322_362_000 });
  });

  const cases: SignCase[] = lists.signs;
  test.each(cases.map((each) => [each.case, each] as const))(
    "%s is signed, or refused, as by the original",
    async (_, each) => {
      await check(services, each);
    },
  );
});
