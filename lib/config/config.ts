import { errorText } from "../std/mod.ts";
import { type ConfigKey, type ConfigValue, catalogue, isConfigKey } from "./catalogue.ts";
import type { Setting, SettingContext } from "./setting.ts";

/** A value that could not be used, and where it stands. */
export interface ConfigProblem {
  key: string;
  /** File and line, or the environment variable. */
  place: string;
  reason: string;
}

/** Text of a setting and where it was found. */
export interface ConfigEntry {
  value: string;
  place: string;
}

/** Keys that stop a node from starting when they are set beside the choria security provider. */
const forbidden: readonly (readonly [string, string])[] = [
  ["plugin.choria.security.server.token_file", "set"],
  ["plugin.choria.security.server.seed_file", "set"],
  ["plugin.security.server_anon_tls", "set"],
  ["plugin.security.client_anon_tls", "set"],
  ["plugin.choria.security.request_signer.token_file", "used"],
  ["plugin.choria.security.request_signer.seed_file", "used"],
];

/**
 * A role's configuration: every key that was set, typed by the catalogue, with defaults for the rest. It does not
 * change once it is loaded.
 */
export class Config {
  /** The main file, absolute; empty when there is none. */
  readonly file: string;
  /** Every file that was read, in order. */
  readonly files: readonly string[];
  readonly #entries: ReadonlyMap<string, ConfigEntry>;
  readonly #context: SettingContext;

  /** Configurations come from {@link loadConfig} or {@link configFrom}. */
  constructor(
    entries: ReadonlyMap<string, ConfigEntry>,
    options: { file: string; files: readonly string[]; home: string },
  ) {
    this.#entries = entries;
    this.file = options.file;
    this.files = options.files;
    this.#context = { home: options.home };
  }

  /**
   * The value of a key: from the file, the environment or the default.
   * @throws {Error} naming key, place and what was expected when the text does not fit the key's type.
   */
  get<K extends ConfigKey>(key: K): ConfigValue<K> {
    const setting = catalogue[key] as Setting<ConfigValue<K>>;
    const entry = this.#entries.get(key);
    if (entry === undefined) return setting.absent(this.#context);
    try {
      return setting.read(entry.value, this.#context);
    } catch (error) {
      throw new Error(`Cannot use ${key} = "${shown(key, entry.value)}" (${entry.place}): ${errorText(error)}`);
    }
  }

  /** Whether a key was set anywhere. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The text of any key as it was set, whether the catalogue knows it or not. */
  option(key: string): string | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Every key that was set, with its text and place. */
  entries(): Iterable<[string, ConfigEntry]> {
    return this.#entries.entries();
  }

  /** The collectives: as configured, else `choria`. */
  get collectives(): string[] {
    const configured = this.get("collectives");
    return configured.length > 0 ? configured : ["choria"];
  }

  /** The main collective: as configured, else the first. */
  get mainCollective(): string {
    return this.get("main_collective") || (this.collectives[0] ?? "choria");
  }

  /** Organization issuers by name, from `plugin.security.issuer.NAME.public`. */
  issuers(): Map<string, string> {
    const issuers = new Map<string, string>();
    for (const name of this.get("plugin.security.issuer.names")) {
      const option = `plugin.security.issuer.${name}.public`;
      const key = this.option(option);
      if (key === undefined) throw new Error(`could not find option ${option} while adding issuer ${name}`);
      issuers.set(name, key.trim().toLowerCase());
    }
    return issuers;
  }

  /** Everything that is wrong with the values, in the order of the files. */
  problems(): ConfigProblem[] {
    const found: ConfigProblem[] = [];
    for (const [key, { value, place }] of this.#entries) {
      if (!isConfigKey(key)) continue;
      try {
        catalogue[key].read(value, this.#context);
      } catch (error) {
        found.push({ key, place, reason: errorText(error) });
      }
    }
    for (const [key, verb] of forbidden) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      const reason = `${key} can not be ${verb} when the choria security provider is used`;
      found.push({ key, place: entry.place, reason });
    }
    return found;
  }

  /** This configuration with some keys replaced; undefined removes a key. */
  with(changes: Readonly<Record<string, string | undefined>>, place = "built in"): Config {
    const entries = new Map(this.#entries);
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) entries.delete(key);
      else entries.set(key, { value, place });
    }
    return new Config(entries, { file: this.file, files: this.files, home: this.#context.home });
  }
}

/** A configuration made in memory, for tests and built-in modes. */
export function configFrom(settings: Readonly<Record<string, string>>, file = ""): Config {
  const entries = Object.entries(settings).map(([key, value]): [string, ConfigEntry] => [
    key,
    { value, place: "memory" },
  ]);
  return new Config(new Map(entries), { file, files: [], home: process.env.HOME ?? "/" });
}

function shown(key: string, value: string): string {
  return /pass|token|secret|seed/.test(key) && !key.endsWith("_file") ? "*****" : value;
}
