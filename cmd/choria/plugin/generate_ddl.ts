import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { terminalQuestions } from "../../../lib/cli/mod.ts";
import type { Interviewer } from "../../../lib/codegen/mod.ts";
import { type AgentDdl, encodeDdl, encodeRubyDdl, parseDdl } from "../../../lib/ddl/mod.ts";
import { errorText, goJson, type JsonObject, parseObject, writeFileAtomic } from "../../../lib/std/mod.ts";

interface DdlFlags {
  name?: string;
  description?: string;
  author?: string;
  pluginVersion?: string;
  license?: string;
  url?: string;
  timeout?: string;
  provider?: string;
  service?: true;
  answers?: string;
  force?: true;
  convert?: true;
}

const examples = `
Examples:
  choria plugin generate ddl clock.json
  choria plugin generate ddl clock.json clock.ddl
  choria plugin generate ddl clock.json clock.ddl --convert
  choria plugin generate ddl clock.json --name clock --description "Tells the time" --author me --answers actions.json

The file with answers is a JSON object with the keys name, description, author, version, license, url, timeout,
provider, service and actions. Where actions are given, nothing is asked about them:

  {"actions": [{"name": "tell", "description": "Tell the time", "display": "always",
    "inputs": [{"name": "zone", "description": "Time zone", "type": "string", "optional": true}],
    "outputs": [{"name": "time", "description": "The time", "type": "string"}]}]}`;

/** `choria plugin generate ddl`: a DDL from answers to questions. */
export function generateDdlCommand(): Command {
  return new Command("ddl")
    .description("Write the DDL of an agent from answers to questions, flags and a file.")
    .argument("<file>", "where the DDL is written to")
    .argument("[ruby]", "where the same is written to in Ruby, for older clients")
    .option("--name <name>", "the agent's name")
    .option("--description <text>", "what the agent does")
    .option("--author <name>", "who wrote it, with an address")
    .option("--plugin-version <version>", "its version, as 1.2.3")
    .option("--license <name>", "its license")
    .option("--url <url>", "where more is told about it")
    .option("--timeout <seconds>", "longest run of an action")
    .option("--provider <name>", "what runs it: external, ruby or golang")
    .option("--service", "one host of the network answers instead of all")
    .option("--answers <file>", "JSON file with answers; flags go before them")
    .option("-f, --force", "replace files without asking")
    .option("--convert", "ask nothing: write the DDL that is there in Ruby")
    .addHelpText("after", examples)
    .action((file: string, ruby: string | undefined, flags: DdlFlags) =>
      flags.convert ? convertDdl(file, ruby, flags) : writeDdl(file, ruby, flags),
    );
}

async function writeDdl(file: string, ruby: string | undefined, flags: DdlFlags): Promise<void> {
  const { interviewDdl } = await import("../../../lib/codegen/mod.ts");
  const interviewer = await interviewerOf();
  for (const path of [file, ...(ruby === undefined ? [] : [ruby])]) await checkFree(path, flags);
  const ddl = await interviewDdl({ ...answersOf(flags.answers), ...flagAnswers(flags) }, interviewer);
  writeFileAtomic(file, `${goJson(JSON.parse(encodeDdl(ddl)), 2)}\n`);
  process.stdout.write(`The DDL of ${ddl.metadata.name} is in ${file}\n`);
  if (ruby !== undefined) writeRuby(ruby, ddl);
}

async function convertDdl(file: string, ruby: string | undefined, flags: DdlFlags): Promise<void> {
  if (ruby === undefined) throw new Error("Cannot convert the DDL: name the file in Ruby as well");
  const ddl = parseDdl(readDdl(file), file);
  await checkFree(ruby, flags);
  writeRuby(ruby, ddl);
}

function readDdl(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read the DDL ${file}: ${errorText(error)}`, { cause: error });
  }
}

function writeRuby(file: string, ddl: AgentDdl): void {
  writeFileAtomic(file, encodeRubyDdl(ddl));
  process.stdout.write(`The DDL of ${ddl.metadata.name} is in ${file}\n`);
}

async function interviewerOf(): Promise<Interviewer> {
  const { quietInterviewer } = await import("../../../lib/codegen/mod.ts");
  return process.stdin.isTTY ? terminalQuestions : quietInterviewer;
}

async function checkFree(file: string, { force }: DdlFlags): Promise<void> {
  if (!existsSync(file) || force) return;
  if (await (await interviewerOf()).confirm(`Really overwrite ${file}`, false)) return;
  throw new Error(`Cannot write ${file}: it is there already; replace it with --force`);
}

function flagAnswers(flags: DdlFlags): JsonObject {
  const { answers: _answers, force: _force, convert: _convert, pluginVersion, ...rest } = flags;
  return pluginVersion === undefined ? rest : { ...rest, version: pluginVersion };
}

function answersOf(file: string | undefined): JsonObject {
  if (file === undefined) return {};
  try {
    return parseObject(readFileSync(file));
  } catch (error) {
    throw new Error(`Cannot read the answers of ${file}: ${errorText(error)}`, { cause: error });
  }
}
