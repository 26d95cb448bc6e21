import { existsSync } from "node:fs";
import { Command } from "commander";
import { packArchive } from "../../../lib/machine/mod.ts";
import { writeFileAtomic } from "../../../lib/std/mod.ts";

interface ArchiveFlags {
  output?: string;
  name?: string;
  force?: boolean;
  json?: boolean;
}

const examples = `
Examples:
  choria machine plugins archive machines/check_disk
  choria machine plugins archive build/requests --output requests-0.0.1.tgz --json

The same files give the same archive, so a checksum that changed means that a file did.`;

/** `choria machine plugins archive FOLDER`: the archive of a plugin, and the checksums that the list wants. */
export function archiveCommand(): Command {
  return new Command("archive")
    .description("Make the archive of a plugin from a folder with a machine or an agent.")
    .argument("<folder>", "which folder")
    .option("--output <file>", "the archive; NAME.tgz by default")
    .option("--name <name>", "name of the plugin; that of the folder by default")
    .option("--force", "write over a file that is there")
    .option("-j, --json", "write what the list wants as JSON")
    .addHelpText("after", examples)
    .action(runArchive);
}

async function runArchive(folder: string, flags: ArchiveFlags): Promise<void> {
  const { name, archive, checksum, verifyChecksum } = await packArchive(folder, flags.name);
  const file = flags.output ?? `${name}.tgz`;
  if (existsSync(file) && !flags.force) throw new Error(`output file ${file} exist, use --force to overwrite`);
  writeFileAtomic(file, archive);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ name, file, checksum, verify_checksum: verifyChecksum }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${name} packed into ${file}, ${archive.length} bytes

         Checksum: ${checksum}
  Verify Checksum: ${verifyChecksum}

Put it where nodes can fetch it, then:
  choria machine plugins add ${name} URL ${checksum} ${verifyChecksum}
`);
}
