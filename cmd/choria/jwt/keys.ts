import { Command } from "commander";
import { generateKey, type KeyPair, readSeedFile, writeSeedFile } from "../../../lib/crypto/mod.ts";
import { isFile, writeFileAtomic } from "../../../lib/std/mod.ts";
import type { JwtContext } from "./context.ts";
import { plainReason } from "./create.ts";

interface KeysFlags {
  force?: boolean;
  showPublic?: boolean;
}

/** `choria jwt keys SEED-FILE [PUBLIC]`. */
export function keysCommand(context: JwtContext): Command {
  return new Command("keys")
    .alias("k")
    .summary("Make an ed25519 key pair")
    .description("Make an ed25519 key pair: the seed stays with its owner, the public key goes into tokens.")
    .argument("<seed-file>", "file for the seed, readable by its owner alone")
    .argument("[public-file]", "file for the public key")
    .option("-f, --force", "replace an existing seed without asking")
    .option("--show-public", "only show the public key of an existing seed")
    .addHelpText("after", "\nExample:\n  $ choria jwt keys issuer.seed issuer.public")
    .action((seed: string, publicFile: string | undefined, flags: KeysFlags) => run(seed, publicFile, flags, context));
}

async function run(
  seedFile: string,
  publicFile: string | undefined,
  flags: KeysFlags,
  context: JwtContext,
): Promise<void> {
  if (flags.showPublic) {
    context.out.write(`Public Key: ${readSeedFile(seedFile).publicKey}\n`);
    return;
  }
  if (isFile(seedFile) && !flags.force && !(await mayReplace(seedFile, context))) {
    context.out.write("Skipping\n");
    return;
  }
  const key = generateKey();
  save(seedFile, publicFile, key);
  context.out.write(`Public Key: ${key.publicKey}\n\nEd25519 seed saved in ${seedFile}\n`);
}

function mayReplace(file: string, { prompter }: JwtContext): Promise<boolean> {
  if (prompter !== undefined) return prompter.confirm(`Really overwrite ${file}`);
  throw new Error(`The seed file "${file}" exists already: use --force to replace it`);
}

function save(seedFile: string, publicFile: string | undefined, key: KeyPair): void {
  try {
    // The public key first: should its file fail, no seed has been replaced yet.
    if (publicFile !== undefined) writeFileAtomic(publicFile, key.publicKey, { mode: 0o600 });
    writeSeedFile(seedFile, key);
  } catch (error) {
    throw new Error(`Cannot save the keys: ${plainReason(error)}`, { cause: error });
  }
}
