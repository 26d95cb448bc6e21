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

/** Functions that the engine leaves out on purpose; cases that call one are counted apart. */
const LEFT_OUT = /\b(?:graphql\.\w+|providers\.aws\.sign_req|rego\.parse_module)\(/;

function needsLeftOut({ modules, query }: Case): boolean {
  return [...modules, query].some((text) => LEFT_OUT.test(text));
}

describe.skipIf(folder === undefined).each(["v0", "v1"] as const)("rego conformance %s", (dialect) => {
  test("nearly all cases pass, and none fails that passed before", async () => {
    const all = await loadCases(folder ?? "", dialect);
    const cases = named(all.filter((each) => !needsLeftOut(each)));
    const failures: Failure[] = cases.flatMap(([name, each]) => {
      const reason = runCase(each, dialect);
      return reason === undefined ? [] : [{ name, reason }];
    });
    const apart = all.length - cases.length;
    const note = apart === 0 ? "" : `, ${apart} more call functions that are left out`;
    console.log(`rego ${dialect}: ${cases.length - failures.length} of ${cases.length}${note}`);
    for (const { name, reason } of failures) console.log(`  ${name}: ${reason}`);
    const { count, failing } = known[dialect];
    const names: readonly string[] = failing;
    if (cases.length === count) expect(failures.filter(({ name }) => !names.includes(name))).toEqual([]);
    expect(cases.length - failures.length).toBeGreaterThanOrEqual(cases.length * SHARE);
  }, 60_000);
});
