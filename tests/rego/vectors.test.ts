import { describe, expect, test } from "bun:test";
import { compileRego, type RegoDialect, RegoError, type RegoFunction } from "../../lib/rego/mod.ts";
import vectors from "../fixtures/rego/policies.json";

type Vector = (typeof vectors.cases)[number];

/** The filter functions as their users mean them; the recorded programs panic in some of these. */
function filterFunctions({ filter }: Vector): RegoFunction[] {
  const has = (list: readonly unknown[] | undefined) => (list ?? []).length > 0;
  const fact = (text: unknown) => {
    const match = /^(\w+)(==|=)(\w+)$/.exec(String(text));
    if (match === null) throw new Error("not a fact filter");
    return (filter?.fact ?? []).some(
      (each) => each.fact === match[1] && each.operator === "==" && each.value === match[3],
    );
  };
  return [
    {
      name: "requires_filter",
      arity: 0,
      call: () => has(filter?.fact) || has(filter?.cf_class) || has(filter?.identity) || has(filter?.compound),
    },
    { name: "requires_fact_filter", arity: 1, call: ([text]) => fact(text) },
    { name: "requires_class_filter", arity: 1, call: ([name]) => (filter?.cf_class ?? []).includes(String(name)) },
    { name: "requires_identity_filter", arity: 1, call: ([name]) => (filter?.identity ?? []).includes(String(name)) },
  ];
}

function inputOf({ req, site, claims }: Vector) {
  const { agent, action, data, collective, ttl, time } = req;
  return { agent, action, data, sender: req.senderid, collective, ttl, time, site, claims };
}

interface Verdict {
  readonly allow: boolean;
  readonly error: string;
}

function decide(vector: Vector, dialect: RegoDialect): Verdict {
  const name = "io.choria.aaasvc";
  try {
    const functions = filterFunctions(vector);
    const policy = compileRego(vector.policy, { dialect, functions, filename: name });
    const result = policy.evaluate(`data.${name}.allow`, { input: inputOf(vector), functions });
    if (!result.defined)
      return { allow: false, error: `invalid result from rego policy ${name}: expected 1 received 0` };
    if (typeof result.value !== "boolean")
      return { allow: false, error: `did not receive a boolean for 'allow' from rego evaluation of ${name}` };
    return { allow: result.value, error: "" };
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    const early = !error.code.startsWith("eval_");
    return {
      allow: false,
      error: early
        ? `could not initialize opa evaluator: ${error.message}`
        : `could not evaluate rego policy ${name}: ${error.message}`,
    };
  }
}

/** Cases in which the recorded program crashed although the policy has an answer. */
const CRASHED: Readonly<Record<string, boolean>> = { fn_requires_filter: true, filter_none_requires_class: false };

describe.each([
  ["v0", "aaasvc_signer_opa_1_3_0_v0"],
  ["v1", "server_opa_1_17_1_v1"],
] as const)("rego %s", (dialect, key) => {
  test.each(vectors.cases.map((vector) => [vector.name, vector] as const))(
    "%s agrees with the recorded verdict",
    (name, vector) => {
      const wanted = vector[key];
      const found = decide(vector, dialect);
      if (wanted.error.startsWith("PANIC")) expect(found).toEqual({ allow: CRASHED[name] ?? false, error: "" });
      else expect(found).toEqual({ allow: wanted.allow, error: wanted.error });
    },
  );
});
