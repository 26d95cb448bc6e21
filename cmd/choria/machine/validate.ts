import { Command } from "commander";
import { openTerminal } from "../../../lib/cli/mod.ts";
import { checkManifest, type ManifestFault } from "../../../lib/machine/mod.ts";
import { readManifest } from "./folder.ts";

const examples = `
Examples:
  choria machine validate machines/facts

Ends with 0 when the machine can run, 1 when it cannot.`;

/** `choria machine validate`: everything that is wrong with a manifest. */
export function validateCommand(): Command {
  return new Command("validate")
    .description("Tell what is wrong with a machine, in which line, and what to do about it.")
    .argument("<folder>", "folder of the machine, or its machine.yaml")
    .addHelpText("after", examples)
    .action(validate);
}

async function validate(folder: string): Promise<void> {
  const { stdout, stderr, env } = process;
  const terminal = openTerminal({ stdout, stderr, env });
  const { red, yellow } = terminal.paint;
  const { faults, warnings } = await checkManifest(readManifest(folder));
  for (const fault of faults) terminal.out.write(`${red("error")}: ${faultText(fault)}\n`);
  for (const warning of warnings) terminal.out.write(`${yellow("warning")}: ${faultText(warning)}\n`);
  if (faults.length > 0) throw new Error("validation failed");
  // Scripts look for these words as they have always been.
  terminal.out.write(`${folder} is has a valid machine.yaml\n`);
}

function faultText({ reason, line, advice }: ManifestFault): string {
  const place = line === 0 ? "machine.yaml" : `machine.yaml line ${line}`;
  return `${place}: ${reason}${advice === undefined ? "" : `; ${advice}`}`;
}
