import { readFileSync, statSync } from "node:fs";
import { Command } from "commander";
import { faultsOf, formatSums, parseSums, type Sums, sumFolder } from "../../../lib/machine/mod.ts";
import { errorText } from "../../../lib/std/mod.ts";

interface ShaFlags {
  ignore: string[];
  validate?: string;
}

const examples = `
Examples:
  choria tool sha256 machine > SHA256SUMS
  choria tool sha256 machine --validate SHA256SUMS

Ends with 0 when the folder is as the sums say, else with 1.`;

/** `choria tool sha256`: digests of a folder's files, and whether they still hold. */
export function sha256Command(): Command {
  return new Command("sha256")
    .description("Write the SHA-256 digests of a folder's files, as sha256sum does, or check them.")
    .argument("<folder>", "which folder")
    .option("--ignore <names>", "names of files to leave out, separated by commas", (text) => text.split(","), [])
    .option("--validate <file>", "check the folder against the digests in a file")
    .addHelpText("after", examples)
    .action((folder: string, flags: ShaFlags) =>
      flags.validate === undefined ? writeSums(folder, flags.ignore) : checkSums(folder, flags.validate),
    );
}

async function writeSums(folder: string, ignore: readonly string[]): Promise<void> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`${folder} is not a directory`);
  process.stdout.write(formatSums(await sumFolder(folder, ignore)));
}

async function checkSums(folder: string, sums: string): Promise<void> {
  const faults = await faultsOf(folder, readSums(sums));
  if (faults.length > 0) {
    process.stdout.write(`${faults.join("\n")}\n\n`);
    throw new Error(`directory did not validate using ${sums}`);
  }
  process.stdout.write(`Directory ${folder} validates correctly using ${sums}\n`);
}

function readSums(file: string): Sums {
  const text = readFileSync(file, "utf8");
  try {
    return parseSums(text);
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${errorText(error)}`, { cause: error });
  }
}
