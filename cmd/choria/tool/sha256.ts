import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { Command } from "commander";
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
  for (const file of filesOf(folder, ignore)) {
    process.stdout.write(`${await digest(join(folder, file))}  ${file}\n`);
  }
}

/** Every file below a folder, relative to it, sorted. */
function filesOf(folder: string, ignore: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !ignore.includes(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function checkSums(folder: string, sums: string): Promise<void> {
  const bad: string[] = [];
  for (const [file, wanted] of readSums(sums)) {
    const reason = await fault(folder, file, wanted);
    if (reason !== undefined) bad.push(`${file}: ${reason}`);
  }
  if (bad.length > 0) {
    process.stdout.write(`${bad.join("\n")}\n\n`);
    throw new Error(`directory did not validate using ${sums}`);
  }
  process.stdout.write(`Directory ${folder} validates correctly using ${sums}\n`);
}

function readSums(sums: string): [file: string, digest: string][] {
  const lines = readFileSync(sums, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const [, found, file] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (found === undefined || file === undefined) throw new Error(`Cannot read ${sums}: ${JSON.stringify(line)}`);
    return [file, found];
  });
}

async function fault(folder: string, file: string, wanted: string): Promise<string | undefined> {
  const path = resolve(folder, file);
  if (!path.startsWith(resolve(folder) + sep)) return "is outside of the directory";
  try {
    return (await digest(path)) === wanted ? undefined : "has another digest";
  } catch (error) {
    return errorText(error);
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
