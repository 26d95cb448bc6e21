import { describe, expect, test } from "bun:test";
import { type Case, loadCases, runCase, suiteFolder } from "./_suite.ts";
import known from "./known_failures.json";

const SHARE = 0.95;
const folder = suiteFolder();
if (folder === undefined)
  console.warn("rego conformance: skipped, no cases found; set REGO_CONFORMANCE to their folder");

interface Failure {
  readonly name: string;
  readonly reason: string;
}

/** Names of cases with the same name are told apart by a number. */
function named(cases: readonly Case[]): [string, Case][] {
  const seen = new Map<string, number>();
  return cases.map((each) => {
    const name = `${each.category}: ${each.note}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return [count === 1 ? name : `${name} #${count}`, each];
  });
}

describe.skipIf(folder === undefined).each(["v0", "v1"] as const)("rego conformance %s", (dialect) => {
  test("nearly all cases pass, and none fails that passed before", async () => {
    const cases = named(await loadCases(folder ?? "", dialect));
    const failures: Failure[] = cases.flatMap(([name, each]) => {
      const reason = runCase(each, dialect);
      return reason === undefined ? [] : [{ name, reason }];
    });
    console.log(`rego ${dialect}: ${cases.length - failures.length} of ${cases.length}`);
    for (const { name, reason } of failures) console.log(`  ${name}: ${reason}`);
    const { count, failing } = known[dialect];
    const names: readonly string[] = failing;
    if (cases.length === count) expect(failures.filter(({ name }) => !names.includes(name))).toEqual([]);
    expect(cases.length - failures.length).toBeGreaterThanOrEqual(cases.length * SHARE);
  }, 60_000);
});
