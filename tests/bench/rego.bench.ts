import { compileRego, RegoCache, type RegoFunction } from "../../lib/rego/mod.ts";
import vectors from "../fixtures/rego/policies.json";

/** Functions the recorded policies call; what they answer does not matter here. */
const FUNCTIONS: readonly RegoFunction[] = [
  { name: "requires_filter", arity: 0, call: () => true },
  { name: "requires_fact_filter", arity: 1, call: () => true },
  { name: "requires_class_filter", arity: 1, call: () => true },
  { name: "requires_identity_filter", arity: 1, call: () => true },
];

const QUERY = "data.io.choria.aaasvc.allow";

interface Sample {
  readonly name: string;
  readonly policy: string;
  readonly input: unknown;
}

function samples(): Sample[] {
  return vectors.cases.flatMap(({ name, policy, req, site, claims }) => {
    const { agent, action, data, senderid: sender, collective, ttl, time } = req;
    const input = { agent, action, data, sender, collective, ttl, time, site, claims };
    return works(policy, input) ? [{ name, policy, input }] : [];
  });
}

function works(policy: string, input: unknown): boolean {
  try {
    compileRego(policy, { functions: FUNCTIONS }).evaluate(QUERY, { input });
    return true;
  } catch {
    return false;
  }
}

function largePolicy(rules: number): string {
  const body = (i: number) =>
    `allow if {\n  input.agent == "agent${i}"\n  input.action in {"status", "deploy${i}"}\n  not input.data.forbidden\n}\n`;
  return `package io.choria.aaasvc\n\nimport rego.v1\n\ndefault allow := false\n\n${Array.from({ length: rules }, (_, i) => body(i)).join("\n")}`;
}

/** Microseconds that one call takes, the best of several rounds. */
function time(run: () => void, calls: number): number {
  for (let i = 0; i < calls; i++) run();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    best = Math.min(best, ((performance.now() - start) * 1000) / calls);
  }
  return best;
}

function row(name: string, cached: number, fresh: number): string {
  return `${name.padEnd(34)} ${cached.toFixed(2).padStart(10)} ${fresh.toFixed(1).padStart(12)}`;
}

function measure({ name, policy, input }: Sample, calls: number): readonly [number, number] {
  const cache = new RegoCache();
  const cached = time(
    () => cache.get(policy, { functions: FUNCTIONS }).evaluate(QUERY, { input, functions: FUNCTIONS }),
    calls,
  );
  const fresh = time(
    () => compileRego(policy, { functions: FUNCTIONS }).evaluate(QUERY, { input }),
    Math.max(10, calls / 10),
  );
  console.log(row(name, cached, fresh));
  return [cached, fresh];
}

console.log(`${"policy".padEnd(34)} ${"cached, us".padStart(10)} ${"new, us".padStart(12)}`);
const results = samples().map((sample) => measure(sample, 500));
for (const part of [0, 1] as const) {
  const sorted = results.map((each) => each[part]).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(1);
  console.log(`${part === 0 ? "cached" : "new"}: median ${at(0.5)} us, 90 % ${at(0.9)} us, worst ${at(1)} us`);
}
const input = { agent: "agent199", action: "status", data: {} };
measure({ name: "200 rules, the last one holds", policy: largePolicy(200), input }, 200);
