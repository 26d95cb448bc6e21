import { readFileSync } from "node:fs";
import { Command } from "commander";
import { parsePlugins } from "../../../lib/machine/mod.ts";
import { encodeUtf8, isFile, isObject, type JsonObject, writeFileAtomic } from "../../../lib/std/mod.ts";

interface ListFlags {
  manifest: string;
}

interface AddFlags extends ListFlags {
  matcher?: string;
  governor?: string;
}

const addExamples = `
Examples:
  choria machine plugins add requests https://plugins.example.net/requests-0.0.1.tgz 5e7388… d3ebf8…
  choria machine plugins add check_disk https://bob:s3cret@plugins.example.net/check_disk.tgz 5e73… d3eb… \\
      --matcher "get_fact('os.family') == 'RedHat' && has_command('df')"
  choria machine plugins add requests obj://PLUGINS/requests.tgz 5e7388… d3ebf8… --governor plugins

The checksums are those that "choria machine plugins archive" shows.`;

/** `choria machine plugins add`: put a plugin on the list, or change what is listed. */
export function addCommand(): Command {
  return withManifest(new Command("add"))
    .description("Put a plugin on the list that pack signs, or change it there.")
    .argument("<name>", "name of the plugin: of the folder in its archive")
    .argument("<url>", "where the archive is: http, https, or obj for an object bucket")
    .argument("<checksum>", "SHA-256 of the archive")
    .argument("<verify>", "SHA-256 of the file SHA256SUMS in it")
    .option("--matcher <expression>", "which nodes it is for; see the matcher command")
    .option("--governor <name>", "limit how many nodes fetch it at a time")
    .addHelpText("after", addExamples)
    .action(runAdd);
}

/** `choria machine plugins rm NAME`. */
export function rmCommand(): Command {
  return withManifest(new Command("rm"))
    .description("Take a plugin off the list that pack signs. Nodes remove it once they have the new list.")
    .argument("<name>", "which plugin")
    .addHelpText("after", "\nExample:\n  choria machine plugins rm check_disk")
    .action(runRm);
}

function withManifest(command: Command): Command {
  return command.option("--manifest <file>", "file with the list", "plugins.json");
}

function runAdd(name: string, url: string, checksum: string, verify: string, flags: AddFlags): void {
  const list = isFile(flags.manifest) ? readList(flags.manifest) : [];
  const at = list.findIndex((plugin) => plugin.name === name);
  const made = { ...kept(list[at], url), ...newEntry(name, url, flags), checksum, verify_checksum: verify };
  process.stdout.write(`${at < 0 ? "Adding" : "Updating"} plugin ${name}\n`);
  writeList(flags.manifest, at < 0 ? [...list, made] : list.with(at, made));
}

/** What stays of an entry: a password is for the host that it was given for. */
function kept(before: JsonObject | undefined, url: string): JsonObject {
  const isSameHost = typeof before?.source === "string" && new URL(before.source).host === new URL(url).host;
  const { username: _, password: __, ...rest } = before ?? {};
  return isSameHost ? (before ?? {}) : rest;
}

/** The user and the password of a URL have keys of their own. */
function newEntry(name: string, url: string, { matcher, governor }: AddFlags): JsonObject {
  const source = new URL(url);
  const login =
    source.username === ""
      ? {}
      : { username: decodeURIComponent(source.username), password: decodeURIComponent(source.password) };
  return {
    name,
    source: url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, "$1"),
    ...login,
    ...(matcher === undefined ? {} : { match: matcher }),
    ...(governor === undefined ? {} : { governor }),
  };
}

function runRm(name: string, { manifest }: ListFlags): void {
  const list = readList(manifest);
  const kept = list.filter((plugin) => plugin.name !== name);
  if (kept.length === list.length) throw new Error(`no plugin named ${name} found`);
  process.stdout.write(`Removing plugin ${name}\n`);
  writeList(manifest, kept);
}

/** The list as it was written, with keys that mean nothing to us. */
function readList(file: string): JsonObject[] {
  const text = readFileSync(file);
  parsePlugins(text);
  const list: unknown = JSON.parse(text.toString("utf8"));
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function writeList(file: string, list: readonly JsonObject[]): void {
  const text = `${JSON.stringify(list, null, 2)}\n`;
  parsePlugins(encodeUtf8(text));
  writeFileAtomic(file, text, { mode: 0o600 });
  process.stdout.write(`Use the pack command to sign the ${file} manifest\n`);
}
