import { beforeAll, describe, expect, test } from "bun:test";
import { evaluateClaims, loadRegoEngine, type PolicyCall, type PolicyEngine } from "../../lib/policy/mod.ts";
import { emptyFilter, type Filter } from "../../lib/protocol/mod.ts";
import type { JsonObject } from "../../lib/std/mod.ts";
import type { ClientClaims } from "../../lib/tokens/mod.ts";
import vectors from "../fixtures/aaa/rego.json";

interface Verdict {
  allow: boolean;
  error: string;
}

/** Where the original panics. */
const mended: Readonly<Record<string, boolean>> = { fn_requires_filter: true, filter_none_requires_class: false };

let engine: PolicyEngine;
beforeAll(async () => {
  engine = await loadRegoEngine();
});

function callOf({ req, filter }: (typeof vectors.cases)[number]): PolicyCall {
  return {
    agent: req.agent,
    action: req.action,
    data: req.data as JsonObject,
    sender: req.senderid,
    collective: req.collective,
    ttl: req.ttl,
    time: BigInt(Date.parse(req.time)) * 1_000_000n,
    filter: (filter as Filter | null) ?? emptyFilter(),
  };
}

/** Whether either engine of the original, each of which knows one dialect, allows the call. */
function expected(name: string, signer: Verdict, server: Verdict): boolean {
  return mended[name] ?? (signer.allow || server.allow);
}

/** What is left of a failure's text without that of the engine, which has tests of its own. */
function ownWords(error: string): string {
  return error.replace(
    /(could not initialize opa evaluator: |io\.choria\.aaasvc: ).*(error occurred|errors occurred|eval_).*/s,
    "$1",
  );
}

describe.each([
  ["server", "either"],
  ["signer", "opa"],
] as const)("evaluateClaims() on a %s", (site, by) => {
  test.each(vectors.cases.map((each) => [each.name, each] as const))("judges %s as the original does", (name, each) => {
    const signer = each.aaasvc_signer_opa_1_3_0_v0;
    const server = each.server_opa_1_17_1_v1;
    const claims = { ...each.claims, opa_policy: each.policy } as ClientClaims;

    const decision = evaluateClaims(claims, callOf(each), { site: each.site, engine, by });

    expect(decision.allowed, `${site}: ${decision.reason}`).toBe(expected(name, signer, server));
    const isSameFailure = signer.error === server.error && server.error !== "" && !(name in mended);
    if (isSameFailure) {
      const prefix = by === "opa" ? "OPA policy evaluation failed: " : "";
      expect(decision.reason).toStartWith(prefix + ownWords(server.error));
    }
  });
});
