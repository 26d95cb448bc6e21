import { readFileSync } from "node:fs";
import { Command } from "commander";
import { formatTable, openTerminal, type Paint } from "../../../lib/cli/mod.ts";
import { displayModes, footerText } from "../../../lib/client/mod.ts";
import type { GossOutcome } from "../../../lib/machine/mod.ts";
import {
  decodeUtf8,
  errorText,
  formatDuration,
  goJson,
  isObject,
  type JsonObject,
  systemClock,
} from "../../../lib/std/mod.ts";
import {
  addDiscoveryFlags,
  addFilterFlags,
  type DiscoveryFlags,
  type FilterFlags,
  parseChoice,
  withAgent,
} from "../client/filters.ts";
import { discoverOptions } from "../client/nodes.ts";
import { addClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { isComplete, someFailed } from "../client/replies.ts";
import { addScoutFlags, askScout, type ScoutFlags } from "./ask.ts";

interface ValidateFlags extends ScoutFlags, FilterFlags, DiscoveryFlags {
  remoteRules?: true;
  kvRules?: true;
  remoteVariables?: true;
  kvVariables?: true;
  table?: true;
  local?: true;
  display: (typeof displayModes)[number];
}

const examples = `
Examples:
  choria scout validate goss.yaml
  choria scout validate goss.yaml vars.yaml -C web --table
  choria scout validate /etc/goss.yaml --remote-rules --display all
  choria scout validate RULES.web --kv-rules
  choria scout validate goss.yaml --local

The program goss (https://goss.rocks) has to be on the PATH of the nodes.

Ends with 0 when every node answered and every test passed, 2 when some did not, 1 on errors, 130 when interrupted.`;

/** `choria scout validate`: rules of Goss, held against nodes. */
export function validateCommand(): Command {
  const validate = new Command("validate")
    .description("Hold rules of Goss against nodes.")
    .argument("<rules>", "file of rules; they are sent to the nodes")
    .argument("[variables]", "file of variables for the rules; they are sent as well")
    .option("--remote-rules", "the file of rules is one on each node")
    .option("--kv-rules", "the rules are a value in a bucket, named BUCKET.KEY")
    .option("--remote-variables", "the file of variables is one on each node")
    .option("--kv-variables", "the variables are a value in a bucket, named BUCKET.KEY")
    .option("--local", "check this machine, without any network")
    .option("--table", "write a table")
    .option("--display <which>", `which tests are shown: ${displayModes}`, parseChoice(displayModes), "failed");
  return addScoutFlags(addClientFlags(addDiscoveryFlags(addFilterFlags(validate))))
    .addHelpText("after", examples)
    .action((rules: string, variables: string | undefined, flags: ValidateFlags) => {
      if (flags.local) return validateHere(rules, variables, flags);
      return withFleet(flags, (session) => validateNodes(rules, variables, flags, session));
    });
}

/** What one node found. */
interface NodeOutcome {
  sender: string;
  /** Why it found nothing; empty where it did. */
  error: string;
  tests: TestResult[];
}

interface TestResult {
  state: "ok" | "failed" | "skipped";
  text: string;
}

async function validateNodes(
  rules: string,
  variables: string | undefined,
  flags: ValidateFlags,
  session: ClientSession,
): Promise<void> {
  const { config, terminal } = session;
  const { out, paint } = terminal;
  const started = systemClock.now();
  const data = {
    ...(await rulesInput(rules, flags, session)),
    ...(variables === undefined ? {} : await variablesInput(variables, flags, session)),
  };
  const options = await discoverOptions(withAgent(flags, "scout"), config);
  const { request, replies } = await askScout("goss_validate", data, options, flags, session);
  const nodes = replies.map(({ sender, ok, statusmsg, data }): NodeOutcome => {
    return { sender, error: ok ? "" : statusmsg, tests: ok && isObject(data) ? testsOf(data.results) : [] };
  });
  process.exitCode = isComplete(request.stats) && nodes.every(isFine) ? 0 : someFailed;
  if (flags.json) return;
  if (nodes.length === 0) throw new Error("no responses received");
  out.write(report(nodes, flags, paint));
  if (flags.verbose || !isComplete(request.stats))
    out.write(`${footerText(request.stats, Boolean(flags.verbose), paint)}\n`);
  out.write(`${totals(nodes, systemClock.now() - started)}\n`);
}

async function rulesInput(rules: string, flags: ValidateFlags, session: ClientSession): Promise<JsonObject> {
  if (flags.remoteRules) return { file: rules };
  return { yaml_rules: flags.kvRules ? await bucketValue(rules, session) : readText(rules) };
}

async function variablesInput(variables: string, flags: ValidateFlags, session: ClientSession): Promise<JsonObject> {
  if (flags.remoteVariables) return { vars: variables };
  return { yaml_vars: flags.kvVariables ? await bucketValue(variables, session) : readText(variables) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${errorText(error)}`, { cause: error });
  }
}

async function bucketValue(name: string, { fleet }: ClientSession): Promise<string> {
  const [, bucket, key] = /^([^.]+)\.(.+)$/.exec(name) ?? [];
  if (bucket === undefined || key === undefined) throw new Error("invalid kv bucket and key");
  const { openBucket } = await import("../../../lib/streams/mod.ts");
  const entry = await openBucket(fleet.connection, bucket)
    .get(key)
    .catch((error) => {
      throw new Error(`Cannot read the bucket ${bucket}: ${errorText(error)}`, { cause: error });
    });
  if (entry === undefined) throw new Error(`The bucket ${bucket} has no key ${key}`);
  return decodeUtf8(entry.value);
}

async function validateHere(rules: string, variables: string | undefined, flags: ValidateFlags): Promise<void> {
  if (flags.kvRules || flags.kvVariables) throw new Error("Buckets are out of reach with --local: name files");
  const { validateWithGoss } = await import("../../../lib/machine/mod.ts");
  const { out, paint } = openTerminal(process);
  const started = systemClock.now();
  const outcome: GossOutcome = await validateWithGoss({
    rules: { file: rules },
    denied: [],
    timeout: localPatience,
    ...(variables === undefined ? {} : { vars: readText(variables) }),
  });
  process.exitCode = outcome.failures === 0 ? 0 : someFailed;
  const nodes = [{ sender: "localhost", error: "", tests: testsOf(outcome.results) }];
  const text = flags.json
    ? `${goJson(outcome, 3)}\n`
    : `${report(nodes, flags, paint)}${totals(nodes, systemClock.now() - started)}\n`;
  out.write(text);
}

/** Longest run on this machine, in milliseconds. */
const localPatience = 300_000;

function testsOf(results: unknown): TestResult[] {
  const states = ["ok", "failed", "skipped"] as const;
  return (Array.isArray(results) ? results : []).filter(isObject).map((result) => {
    const line = result["summary-line-compact"] ?? result["summary-line"];
    const state = typeof result.result === "number" ? states[result.result] : undefined;
    return { state: state ?? "failed", text: typeof line === "string" ? line : JSON.stringify(result) };
  });
}

function isFine({ error, tests }: NodeOutcome): boolean {
  return error === "" && tests.every(({ state }) => state !== "failed");
}

function isShown({ state }: TestResult, { display, verbose }: ValidateFlags): boolean {
  if (verbose || display === "all") return true;
  return display === "ok" ? state === "ok" : display === "failed" && state === "failed";
}

function report(nodes: readonly NodeOutcome[], flags: ValidateFlags, paint: Paint): string {
  const shown = nodes
    .map((node) => ({ ...node, tests: node.tests.filter((test) => isShown(test, flags)) }))
    .filter(({ error, tests }) => error !== "" || tests.length > 0);
  if (shown.length === 0) return "";
  return flags.table ? `${resultTable(shown, paint)}\n\n` : shown.map((node) => resultText(node, paint)).join("");
}

const marks = { ok: "✓", failed: "X", skipped: "-" } as const;

function marked({ state, text }: TestResult, paint: Paint): string {
  const line = `${marks[state]} ${text.replace(/\s+/g, " ")}`;
  return state === "ok" ? paint.green(line) : state === "failed" ? paint.red(line) : paint.yellow(line);
}

function resultText({ sender, error, tests }: NodeOutcome, paint: Paint): string {
  const lines = error === "" ? tests.map((test) => marked(test, paint)) : [paint.red(error)];
  return `${sender}\n\n${lines.map((line) => `    ${line}\n`).join("")}\n`;
}

function resultTable(nodes: readonly NodeOutcome[], paint: Paint): string {
  const rows = nodes.map(({ sender, error, tests }) => [
    sender,
    error === "" ? tests.map((test) => marked(test, paint)).join("\n") : paint.red(error),
  ]);
  return formatTable({ title: "Goss Results", head: ["Node", "Tests"], rows });
}

function totals(nodes: readonly NodeOutcome[], elapsed: number): string {
  const tests = nodes.flatMap((node) => node.tests);
  const count = (wanted: TestResult["state"]) => tests.filter(({ state }) => state === wanted).length;
  const figures = `Failed: ${count("failed")}, Skipped: ${count("skipped")}, Success: ${count("ok")}`;
  return `Nodes: ${nodes.length}, ${figures}, Duration: ${formatDuration(Math.round(elapsed))}`;
}
