import { beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  ClaimsPolicy,
  evaluateClaims,
  loadRegoEngine,
  type PolicyCall,
  type PolicyEngine,
} from "../../lib/policy/mod.ts";
import { emptyFilter, type Filter } from "../../lib/protocol/mod.ts";
import type { ClientClaims } from "../../lib/tokens/mod.ts";

const call: PolicyCall = {
  agent: "rpcutil",
  action: "ping",
  data: {},
  sender: "client.example.net",
  collective: "choria",
  ttl: 60,
  time: 1_795_321_540_497_000_123n,
  filter: emptyFilter(),
};

function claims(more: Partial<ClientClaims> = {}): ClientClaims {
  return { purpose: "choria_client_id", callerid: "up=bob", ou: "choria", ...more };
}

function policy(body: string): string {
  return `package io.choria.aaasvc\n\ndefault allow = false\n\nallow {\n  ${body}\n}\n`;
}

let engine: PolicyEngine;
beforeAll(async () => {
  engine = await loadRegoEngine();
});

describe("evaluateClaims() where either claim may decide", () => {
  const judge = (more: Partial<ClientClaims>, made: Partial<PolicyCall> = {}) =>
    evaluateClaims(claims(more), { ...call, ...made }, { site: "server", engine });

  test("refuses a token without a policy", () => {
    expect(judge({})).toEqual({ allowed: false, reason: "no policy received in token" });
    expect(judge({ agents: [], opa_policy: "" }).allowed).toBe(false);
  });

  test("refuses a token with two policies, even where both allow the call", () => {
    const both = { agents: ["*"], opa_policy: policy("true") };
    expect(judge(both)).toEqual({ allowed: false, reason: "received agent list and rego policy" });
  });

  test("lets everybody find nodes", () => {
    expect(judge({}, { agent: "discovery" }).allowed).toBe(true);
  });

  test("goes by the action list", () => {
    expect(judge({ agents: ["rpcutil.*"] }).allowed).toBe(true);
    expect(judge({ agents: ["package.*"] }).allowed).toBe(false);
  });

  test("goes by the policy, of either dialect", () => {
    expect(judge({ opa_policy: policy('input.agent == "rpcutil"') }).allowed).toBe(true);
    const modern = 'package io.choria.aaasvc\ndefault allow := false\nallow if input.agent == "rpcutil"\n';
    expect(judge({ opa_policy: modern }).allowed).toBe(true);
  });

  test("says which condition a refused call did not meet", () => {
    const { allowed, reason } = judge({ opa_policy: policy('input.agent == "package"') });
    expect(allowed).toBe(false);
    expect(reason).toBe(
      "the policy in the opa_policy claim does not allow rpcutil.ping " + '(not met: line 6: input.agent == "package")',
    );
  });
});

describe("evaluateClaims() by one claim alone", () => {
  const both = { agents: ["package.*"], opa_policy: policy("true") };

  test("takes no notice of a policy where action lists decide", () => {
    const { allowed } = evaluateClaims(claims(both), call, { site: "x", engine, by: "actionlist" });
    expect(allowed).toBe(false);
  });

  test("takes no notice of an action list where policies decide", () => {
    expect(evaluateClaims(claims(both), call, { site: "x", engine, by: "opa" }).allowed).toBe(true);
    const decision = evaluateClaims(claims({ agents: ["*"] }), call, { site: "x", engine, by: "opa" });
    expect(decision.reason).toBe("'opa_policy' claim is an empty string, denying request");
  });
});

describe("the input document", () => {
  test.each([
    ["input.sender", '"client.example.net"'],
    ["input.collective", '"choria"'],
    ["input.ttl", "60"],
    ["input.time", '"2026-11-22T04:25:40.497000123Z"'],
    ["input.site", '"here"'],
    ["input.claims.callerid", '"up=bob"'],
    ["input.data", "{}"],
    ["time.parse_rfc3339_ns(input.time)", "1795321540497000123"],
  ])("holds in %s what the envelope says", (term, value) => {
    const opa_policy = policy(`${term} == ${value}`);
    const decision = evaluateClaims(claims({ opa_policy }), call, { site: "here", engine });
    expect(decision).toMatchObject({ allowed: true });
  });
});

describe("the functions of filters", () => {
  const filter: Filter = {
    fact: [{ fact: "country", operator: "==", value: "mt" }],
    cf_class: ["apache"],
    agent: ["rpcutil"],
    identity: ["some.node"],
    compound: [],
  };
  const holds = (body: string, of = filter) =>
    evaluateClaims(claims({ opa_policy: policy(body) }), { ...call, filter: of }, { site: "server", engine }).allowed;

  test.each([
    "requires_filter()",
    'requires_fact_filter("country=mt")',
    'requires_fact_filter("country==mt")',
    'requires_class_filter("apache")',
    'requires_identity_filter("some.node")',
  ])("%s holds", (body) => {
    expect(holds(body)).toBe(true);
    expect(holds(body, emptyFilter())).toBe(false);
  });

  test.each([
    'requires_fact_filter("country=de")',
    'requires_fact_filter("country!=mt")',
    'requires_fact_filter("nonsense")',
    "requires_fact_filter(5)",
    "requires_class_filter(null)",
    'requires_class_filter("apach")',
    'requires_identity_filter("some")',
  ])("%s does not hold", (body) => {
    expect(holds(body)).toBe(false);
  });

  test("requires_filter() is not content with a filter of agents", () => {
    expect(holds("requires_filter()", { ...emptyFilter(), agent: ["rpcutil"] })).toBe(false);
  });

  test("requires_filter() is content with a compound filter", () => {
    expect(holds("requires_filter()", { ...emptyFilter(), compound: [[{ expr: "true" }]] })).toBe(true);
  });
});

describe("a policy gone wrong", () => {
  const decide = (opa_policy: string) => evaluateClaims(claims({ opa_policy }), call, { site: "server", engine });

  test("is stopped when it does not come to an end", () => {
    const list = JSON.stringify(Array.from({ length: 40 }, (_, index) => index));
    const body = "count([1 | xs[_] >= 0; xs[_] >= 0; xs[_] >= 0; xs[_] >= 0; xs[_] >= 0]) > 0";
    const started = performance.now();
    const { allowed, reason } = decide(`${policy(body)}\nxs = ${list}\n`);
    expect(allowed).toBe(false);
    expect(reason).toStartWith("could not evaluate rego policy io.choria.aaasvc: ");
    expect(reason).toContain("the policy was stopped");
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("is a refusal, whatever its text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: "binary" }), (text) => {
        fc.pre(text !== "");
        expect(decide(text).allowed).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test("is a refusal, wherever a good one was cut or changed", () => {
    const good = policy('input.agent == "package"\n  count(input.data) == 0\n  requires_filter()');
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ maxLength: 3 }), (at, put) => {
        const decision = decide(good.slice(0, at) + put + good.slice(at + 1));
        expect(typeof decision.reason).toBe("string");
      }),
      { numRuns: 500 },
    );
  });
});

describe("ClaimsPolicy", () => {
  test("does not load the engine for action lists", async () => {
    const decider = new ClaimsPolicy({ site: "server" }, () => Promise.reject(new Error("must not be loaded")));
    expect((await decider.decide(claims({ agents: ["*"] }), call)).allowed).toBe(true);
  });

  test("refuses where the engine cannot be loaded", async () => {
    const decider = new ClaimsPolicy({ site: "server" }, () => Promise.reject(new Error("gone")));
    expect(await decider.decide(claims({ opa_policy: policy("true") }), call)).toEqual({
      allowed: false,
      reason: "the policy engine cannot be loaded: gone",
    });
  });

  test("judges by the engine of this project", async () => {
    const decider = new ClaimsPolicy({ site: "server" });
    expect((await decider.decide(claims({ opa_policy: policy("true") }), call)).allowed).toBe(true);
    expect((await decider.decide(claims({ opa_policy: policy("false") }), call)).allowed).toBe(false);
  });
});
