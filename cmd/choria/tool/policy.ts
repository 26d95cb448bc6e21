import { readFileSync } from "node:fs";
import { Command } from "commander";
import { type FilterOptions, filterOf } from "../../../lib/client/mod.ts";
import { filterFunctions, policyPackage } from "../../../lib/policy/mod.ts";
import { compileRego, type RegoCaseResult, type RegoPolicy, runRegoCases } from "../../../lib/rego/mod.ts";
import { errorText, isObject, isStringList, type JsonObject } from "../../../lib/std/mod.ts";
import { decodeTokenUnverified, readTokenFile } from "../../../lib/tokens/mod.ts";

interface TestFlags {
  input?: string;
  cases?: string;
  token?: string;
  json?: true;
}

/** A call to be judged, and what is expected of the judgement. */
interface PolicyCase {
  name: string;
  input: JsonObject;
  filter: FilterOptions;
  want: unknown;
}

const query = `data.${policyPackage}.allow`;

const examples = `
Examples:
  choria tool policy test choria.rego --input call.json
  choria tool policy test choria.rego --cases cases.json

The input is what policies see as input; what it leaves out takes a usual value. Which nodes the request is meant for
stands beside it as filter:

  {"agent": "rpcutil", "action": "ping", "data": {}, "claims": {"callerid": "up=bob"},
   "filter": {"facts": ["country=mt"], "classes": [], "identities": [], "compound": ""}}

Cases are a list of such inputs with what is wanted of them:

  [{"name": "anybody may ping", "input": {"agent": "rpcutil", "action": "ping"}, "want": true}]

Ends with 0 when the call is allowed or every case passes, else with 1.`;

/** `choria tool policy`: policies in Rego before they are put into tokens. */
export function policyCommand(): Command {
  const test = new Command("test")
    .description("Judge a call, or a table of calls, by a policy in Rego, and tell why.")
    .argument("<policy>", "file with the policy")
    .option("--input <file>", "JSON file with one call")
    .option("--cases <file>", "JSON file with a list of calls and what is wanted of each")
    .option("--token <file>", "take the claims from a client's token")
    .option("-j, --json", "write JSON")
    .addHelpText("after", examples)
    .action((file: string, flags: TestFlags) => testPolicy(file, flags));
  return new Command("policy").description("Try out policies in Rego.").addCommand(test);
}

function testPolicy(file: string, flags: TestFlags): void {
  if ((flags.input === undefined) === (flags.cases === undefined)) {
    throw new Error("Cannot test the policy: name either one call by --input or several by --cases");
  }
  const policy = readPolicy(file);
  const claims = flags.token === undefined ? {} : decodeTokenUnverified(readTokenFile(flags.token));
  if (flags.input !== undefined) judgeOne(policy, readCase(readJson(flags.input), flags.input, claims), flags);
  else if (flags.cases !== undefined) judgeAll(policy, readCases(flags.cases, claims), flags);
}

function judgeOne(policy: RegoPolicy, call: PolicyCase, flags: TestFlags): void {
  const functions = filterFunctions(filterOf(call.filter));
  const result = policy.evaluate(query, { input: call.input, functions, explain: true });
  const isAllowed = result.defined && result.value === true;
  const lines = result.explanation?.lines ?? [];
  const text = `${isAllowed ? "Allowed" : "Denied"}\n\n${lines.map((line) => `  ${line}\n`).join("")}`;
  process.stdout.write(flags.json ? `${JSON.stringify({ allowed: isAllowed, explanation: lines }, null, 2)}\n` : text);
  if (!isAllowed) process.exitCode = 1;
}

function judgeAll(policy: RegoPolicy, cases: readonly PolicyCase[], flags: TestFlags): void {
  const results = cases.flatMap(({ filter, ...one }) =>
    runRegoCases(policy, query, [one], { functions: filterFunctions(filterOf(filter)) }),
  );
  const failed = results.filter(({ passed }) => !passed).length;
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else {
    const figures = `${results.length - failed} passed, ${failed} failed`;
    process.stdout.write(`${results.map(resultText).join("")}\n${figures}\n`);
  }
  if (failed > 0) process.exitCode = 1;
}

function resultText({ name, passed, reason, explanation }: RegoCaseResult): string {
  if (passed) return `PASS ${name}\n`;
  return `FAIL ${name}: ${reason}\n${(explanation?.lines ?? []).map((line) => `       ${line}\n`).join("")}`;
}

function readPolicy(file: string): RegoPolicy {
  const functions = filterFunctions(filterOf({}));
  const policy = compileRego(readText(file), { functions, filename: file });
  if (policy.packageName === policyPackage) return policy;
  throw new Error(`Cannot test ${file}: its package is ${policy.packageName}, that of policies is ${policyPackage}`);
}

function readCases(file: string, claims: object): PolicyCase[] {
  const value = readJson(file);
  if (!Array.isArray(value)) throw new Error(`Cannot read ${file}: expected a list of cases`);
  return value.map((item: unknown, at) => {
    const place = `case ${at + 1} of ${file}`;
    if (!isObject(item)) throw new Error(`Cannot read ${place}: expected an object`);
    const { name = `case ${at + 1}`, input = {}, filter, want } = item;
    if (!isObject(input)) throw new Error(`Cannot read ${place}: the input is not an object`);
    const call = readCase({ ...input, filter: filter ?? input.filter }, place, claims);
    return { ...call, name: String(name), want };
  });
}

function readCase(value: unknown, place: string, claims: object): PolicyCase {
  if (!isObject(value)) throw new Error(`Cannot read ${place}: expected an object`);
  const { filter, ...given } = value;
  const usual = { agent: "", action: "", data: {}, sender: "", collective: "choria", ttl: 60, site: "server", claims };
  const input = { ...usual, time: new Date().toISOString(), ...given };
  return { name: place, input, filter: readFilter(filter ?? {}, place), want: true };
}

function readFilter(value: unknown, place: string): FilterOptions {
  if (!isObject(value)) throw new Error(`Cannot read ${place}: the filter is not an object`);
  const { compound = "", ...lists } = value;
  const known = ["facts", "classes", "agents", "identities", "combined"];
  for (const [key, list] of Object.entries(lists)) {
    if (!known.includes(key) || !isStringList(list)) {
      throw new Error(`Cannot read ${place}: the filter has the lists ${known.join(", ")} and the text compound`);
    }
  }
  if (typeof compound !== "string") throw new Error(`Cannot read ${place}: the filter's compound is not a text`);
  return { ...lists, ...(compound === "" ? {} : { compound }) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${errorText(error)}`, { cause: error });
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readText(file));
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${errorText(error)}`, { cause: error });
  }
}
