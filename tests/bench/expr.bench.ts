import { compileExpr, ExprCache, type ExprOptions } from "../../lib/expr/mod.ts";
import { matchFilter } from "../../lib/filter/mod.ts";
import { emptyFilter } from "../../lib/protocol/mod.ts";
import { median, report } from "./report.ts";

const source = `with("apache") and fact("memory.size") > 4096 and not (fact("os.name") in ["Windows", "AIX"])
  and fact("os.name") matches "^(?i)lin" and any(classes, # startsWith "role_") and semver(fact("version"), ">= 1.2")`;
const options: ExprOptions = {
  functions: {
    with: { parameters: ["string"], returns: "bool" },
    fact: { parameters: ["string"] },
    semver: { parameters: ["string", "string"], returns: "bool" },
  },
  variables: { classes: "array" },
  boolean: true,
};
const facts = { os: { name: "Linux" }, memory: { size: 7_959 }, version: "1.4.0" };
const classes = ["apache", "base", "role_web"];
const values: Readonly<Record<string, unknown>> = { "memory.size": 7_959, "os.name": "Linux", version: "1.4.0" };
const env = { classes, with: () => true, fact: (path: string) => values[path], semver: () => true };

/** Microseconds that one call takes, the middle one of several rounds. */
function time(work: () => unknown, calls: number): number {
  for (let i = 0; i < calls; i++) work();
  const rounds = Array.from({ length: 7 }, () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) work();
    return ((performance.now() - start) * 1_000) / calls;
  });
  return median(rounds);
}

const cache = new ExprCache(options);
report({
  work: "Compile a compound filter",
  value: time(() => compileExpr(source, options), 500),
  unit: "us",
  original: 33,
});
report({
  work: "Evaluate a compound filter, compiled before",
  value: time(() => cache.get(source).test(env), 5_000),
  unit: "us",
  original: 2,
});
const loop = compileExpr("sum(filter(1..1000, # % 3 == 0), # * 2)");
report({ work: "Filter and add up 1,000 numbers", value: time(() => loop.evaluate(), 200), unit: "us", original: 96 });

const filter = { ...emptyFilter(), compound: [[{ expr: source }]] };
const node = { identity: "n1", agents: ["rpcutil"], classes: () => classes, facts: () => facts };
const start = performance.now();
for (let i = 0; i < 2_000; i++) if (!(await matchFilter(filter, node))) throw new Error("The filter has to match");
report({ work: "Match a node by a compound filter", value: (performance.now() - start) / 2, unit: "us" });
