import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { errorText, isFile } from "../std/mod.ts";
import { type ConfigKey, catalogue, isConfigKey } from "./catalogue.ts";
import { parseConf } from "./conf_file.ts";
import { Config, type ConfigEntry } from "./config.ts";

/** Where a configuration comes from. */
export interface LoadOptions {
  /** `client` also reads project files; `system` (server, broker, AAA service) does not. */
  kind: "client" | "system";
  /** Environment variables; the process's own by default. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Working folder, from which project files are sought upwards. */
  cwd?: string;
}

/** What the original programs look for, in order. */
const clientFiles = ["~/.choriarc", "~/.mcollective", "/etc/choria/client.conf", "/usr/local/etc/choria/client.conf"];

/**
 * The configuration file a client uses when none is named, or undefined when there is none.
 * @param env The process's environment: `CHORIA_CONFIG` wins, then `~/.choriarc` and the system's places.
 */
export function findClientConfig(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  if (env.CHORIA_CONFIG) return env.CHORIA_CONFIG;
  const home = env.HOME ?? "/";
  return clientFiles.map((file) => file.replace(/^~/, home)).find(isFile);
}

/**
 * Load a configuration file with what belongs to it: `plugin.d/*.cfg` beside it, for clients the `choria.conf` of
 * the working folder and those above it, and the environment.
 *
 * @throws {Error} naming the file when it cannot be read, or the first value that does not fit its key.
 */
export function loadConfig(path: string, options: LoadOptions): Config {
  const { kind, env = process.env, cwd = process.cwd() } = options;
  const home = env.HOME ?? "/";
  const file = resolve(path);
  const loader = new Loader();
  loader.read(file);
  if (!file.startsWith(`${home}/`)) loader.readPlugins(join(dirname(file), "plugin.d"));
  if (kind === "client") for (const project of projectFiles(cwd)) loader.read(project);
  applyEnvironment(loader.entries, env);
  const config = new Config(loader.entries, { file, files: loader.files, home });
  const [problem] = config.problems();
  if (problem !== undefined) {
    throw new Error(`Cannot use the configuration: ${problem.key} (${problem.place}): ${problem.reason}`);
  }
  return config;
}

class Loader {
  readonly entries = new Map<string, ConfigEntry>();
  readonly files: string[] = [];

  read(file: string, prefix = ""): void {
    for (const { key, value, line } of parseConf(readText(file))) {
      this.#set(prefix + key, { value, place: `${file}:${line}` });
    }
    this.files.push(file);
  }

  #set(key: string, { value, place }: ConfigEntry): void {
    const before = this.entries.get(key);
    const joint = isConfigKey(key) ? catalogue[key].joint : undefined;
    const isAdded = before !== undefined && joint !== undefined;
    this.entries.set(key, { value: isAdded ? `${before.value}${joint}${value}` : value, place });
  }

  /** `plugin.d/NAME.cfg` sets keys `plugin.NAME.…`; a NAME.conf beside it only asks for the .cfg to be read. */
  readPlugins(folder: string): void {
    const names = new Set(listFolder(folder).map((name) => basename(name).replace(/\.(cfg|conf)$/, "")));
    for (const name of [...names].sort()) {
      const file = join(folder, `${name}.cfg`);
      if (isFile(file)) this.read(file, `plugin.${name}.`);
    }
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`could not parse configuration: ${errorText(error)}`, { cause: error });
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /\.(cfg|conf)$/.test(name));
  } catch {
    return [];
  }
}

/** `choria.conf` of every folder from the root down to the working folder: the nearest is read last and wins. */
function projectFiles(cwd: string): string[] {
  const folders: string[] = [];
  for (let at = resolve(cwd); ; at = dirname(at)) {
    folders.unshift(at);
    if (at === dirname(at)) break;
  }
  return folders.map((folder) => join(folder, "choria.conf")).filter(isFile);
}

function applyEnvironment(entries: Map<string, ConfigEntry>, env: Readonly<Record<string, string | undefined>>): void {
  for (const key of Object.keys(catalogue) as ConfigKey[]) {
    const name = catalogue[key].env;
    const value = name === undefined ? undefined : env[name];
    if (name !== undefined && value) entries.set(key, { value, place: `environment variable ${name}` });
  }
}
