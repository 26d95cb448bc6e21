import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { isPublicKey, type KeyPair, keyFromSeed, readPublicKey, readSeedFile } from "../../../lib/crypto/mod.ts";
import { isSigned, packSpecification, parsePlugins } from "../../../lib/machine/mod.ts";
import { isFile, parseObject, writeFileAtomic } from "../../../lib/std/mod.ts";

interface PackFlags {
  force?: boolean;
  output?: string;
}

const packExamples = `
Examples:
  choria machine plugins pack plugins.json signer.seed > signed.json
  choria machine plugins pack plugins.json signer.seed | choria kv put CHORIA_PLUGINS plugins -- -`;

/** `choria machine plugins pack FILE [SEED]`: the document that nodes take. */
export function packCommand(): Command {
  return new Command("pack")
    .description("Make of a list of plugins the signed document that nodes take.")
    .argument("<source>", "file with the list, as add writes it")
    .argument("[seed]", "ed25519 seed that signs: a file, or hex; nodes with a key take nothing unsigned")
    .option("--force", "write an empty list, or over a file that is there")
    .option("--output <file>", "write a file, readable by its owner alone, instead of standard output")
    .addHelpText("after", packExamples)
    .action(runPack);
}

function runPack(source: string, seed: string | undefined, { force = false, output }: PackFlags): void {
  const manifest = readFileSync(source);
  if (parsePlugins(manifest).length === 0 && !force) {
    throw new Error("no plugins listed in specification, use --force to write an empty list");
  }
  if (output !== undefined && existsSync(output) && !force) {
    throw new Error(`output file ${output} exist, use --force to overwrite`);
  }
  if (seed === undefined) {
    process.stderr.write("choria: No ed25519 private key given, encoding without signing\n");
  }
  const document = `${packSpecification(manifest, seed === undefined ? undefined : readSeed(seed))}\n`;
  if (output === undefined) process.stdout.write(document);
  else writeFileAtomic(output, document, { mode: 0o600 });
}

/** A seed file, or the hex of a seed, alone or with its public key behind it as other programs keep them. */
function readSeed(given: string): KeyPair {
  if (!isFile(given) && /^([0-9a-f]{64}|[0-9a-f]{128})$/i.test(given)) return keyFromSeed(given.slice(0, 64));
  return readSeedFile(given);
}

const verifyExamples = `
Example:
  choria machine plugins verify signed.json signer.public

Ends with 0 when the signature is right, else with 1.`;

/** `choria machine plugins verify FILE KEY`. */
export function verifyCommand(): Command {
  return new Command("verify")
    .description("Check who signed a document that pack made.")
    .argument("<source>", "file with the document")
    .argument("<key>", "public key: a file, or hex")
    .addHelpText("after", verifyExamples)
    .action(runVerify);
}

function runVerify(source: string, given: string): void {
  if (!isFile(given) && !isPublicKey(given) && /^[0-9a-f]*$/i.test(given)) throw new Error("invalid public key size");
  const key = readPublicKey(given);
  if (!isSigned(parseObject(readFileSync(source)), key)) {
    process.stdout.write(`Data ${source} does not have a valid signature for key ${key}\n`);
    throw new Error("verification failed");
  }
  process.stdout.write(`Data file ${source} is signed using ${key}\n`);
}
