import { readFileSync } from "node:fs";
import { Command } from "commander";
import { hostIdentity } from "../../../lib/config/mod.ts";
import { matchesNode } from "../../../lib/machine/mod.ts";
import { parseObject } from "../../../lib/std/mod.ts";

interface MatcherFlags {
  identity?: string;
  facts?: string;
}

const examples = `
A matcher asks identity(REGEX), get_fact(PATH), has_file(PATH), has_directory(PATH) and has_command(NAME).

Examples:
  choria machine plugins matcher "has_command('df')"
  choria machine plugins matcher "get_fact('os.family') == 'RedHat'" --facts facts.json --identity web1.example.net`;

/** `choria machine plugins matcher EXPRESSION`: try which nodes a plugin is for. */
export function matcherCommand(): Command {
  return new Command("matcher")
    .description("Try whether a plugin with a matcher would go to this machine, or to one with other facts.")
    .argument("<expression>", "the matcher")
    .option("--identity <name>", "name of the node; this machine's by default")
    .option("--facts <file>", "JSON file with the node's facts")
    .addHelpText("after", examples)
    .action(runMatcher);
}

async function runMatcher(expression: string, flags: MatcherFlags): Promise<void> {
  const facts = flags.facts === undefined ? {} : parseObject(readFileSync(flags.facts));
  const identity = flags.identity ?? (await hostIdentity());
  const isMatch = matchesNode(expression, { identity, facts });
  process.stdout.write(`${isMatch ? "Matched" : "Failed to match"} plugin matcher: ${expression}\n`);
}
