import { resolve } from "node:path";
import { Command } from "commander";
import { writeFileAtomic } from "../../../lib/std/mod.ts";

interface FactsFlags {
  output?: string;
}

const examples = `
Examples:
  choria tool facts
  choria tool facts --output /etc/choria/facts.json

The machine "facts" runs this on every node; what it writes is what "choria facts" and filters see.`;

/** `choria tool facts`: what this host is, gathered for the server's file of facts. */
export function command(): Command {
  return new Command("facts")
    .summary("Gather the facts of this host")
    .description("Gather the facts of this host: its hardware, system, memory, disks and networks. Needs no network.")
    .option("-o, --output <file>", "write into a file, replaced as a whole, in place of standard output")
    .addHelpText("after", examples)
    .action(run);
}

async function run({ output }: FactsFlags): Promise<void> {
  const { readSystem, systemFacts } = await import("./system_facts.ts");
  const json = `${JSON.stringify(systemFacts(await readSystem(), new Date()), null, 2)}\n`;
  if (output === undefined) process.stdout.write(json);
  // Serial numbers are among the facts, which systems show to root alone.
  else writeFileAtomic(resolve(output), json, { mode: 0o600, makeFolders: true });
}
