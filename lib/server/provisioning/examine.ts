import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Config, type ConfigEntry, loadConfig, parseConf } from "../../config/mod.ts";
import { errorText, isFile } from "../../std/mod.ts";
import { credentialFault, tokenIdentity } from "./credential_fault.ts";
import { findProvisioningToken, type ProvisioningSettings, readProvisioningToken } from "./settings.ts";

/** What a server's files say about what it has to be. */
export type Verdict =
  | { provision: false; config: Config; settings?: ProvisioningSettings; warning?: string }
  | {
      provision: true;
      settings: ProvisioningSettings;
      /** Why, for the log. */
      reason: string;
      /** The configuration that is given up, where there is one that can be read. */
      old?: Config;
      warning?: string;
    };

/** What {@link examineNode} looks at. */
export interface ExamineOptions {
  /** The server's configuration file, absolute. It need not exist. */
  configFile: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now: number;
}

const provisionKey = "plugin.choria.server.provision";

/**
 * Decide from its files whether a server serves or is to be provisioned. Nothing is changed.
 *
 * A node with a provisioning token is provisioned when its configuration is missing or damaged, when its credentials
 * are missing, expired or damaged, and when its configuration or, failing that, the token asks for it. An explicit
 * `plugin.choria.server.provision = false` rules out all of these but bad credentials and a missing file.
 *
 * @throws {Error} when there is neither a usable configuration nor a provisioning token.
 */
export function examineNode(options: ExamineOptions): Verdict {
  const { configFile, env, now } = options;
  const found = isFile(configFile) ? readConfiguration(configFile, env) : undefined;
  const { settings, warning } = readSettings(findProvisioningToken(configFile, found?.config, env));
  const more = warning === undefined ? {} : { warning };
  if (found === undefined) {
    if (settings !== undefined) return { provision: true, settings, reason: `${configFile} does not exist`, ...more };
    const hint = warning ?? `there is no provisioning token ${join(dirname(configFile), "provisioning.jwt")}`;
    throw new Error(`configuration file ${configFile} was not found and provisioning is disabled: ${hint}`);
  }
  const { config, damage, error } = found;
  if (settings === undefined) {
    if (error !== undefined) throw error;
    return { provision: false, config, ...more };
  }
  const reason = reasonToProvision(config, damage, settings, now);
  if (reason !== undefined) return { provision: true, settings, reason, old: config, ...more };
  if (error !== undefined) throw error;
  return { provision: false, config, settings, ...more };
}

/**
 * Why a server that serves at present has to be provisioned again; undefined when it has not, or cannot be.
 */
export function reasonToReprovision(options: ExamineOptions): string | undefined {
  try {
    const verdict = examineNode(options);
    return verdict.provision ? verdict.reason : undefined;
  } catch {
    return undefined;
  }
}

function reasonToProvision(
  config: Config,
  damage: string | undefined,
  settings: ProvisioningSettings,
  now: number,
): string | undefined {
  const fault = isChoria(config) ? credentialFault(config, now) : undefined;
  const wanted = provisionOption(config);
  if (fault !== undefined) return damage === undefined ? fault : `${fault} (${damage})`;
  if (wanted === false) return undefined;
  if (damage !== undefined) return `The configuration is damaged: ${damage}`;
  if (wanted) return `${provisionKey} is true, reprovisioning`;
  if (!settings.isDefault) return undefined;
  const holder = tokenIdentity(config);
  const identity = config.option("identity");
  if (holder !== undefined && identity !== undefined && holder !== identity) {
    return `Caller "${holder}" from server token does not match identity "${identity}", enabling provisioning`;
  }
  return `the provisioning token asks for it and ${provisionKey} is not set`;
}

/** Undefined when the option is not set, or set to something that is neither yes nor no. */
function provisionOption(config: Config): boolean | undefined {
  if (!config.has(provisionKey)) return undefined;
  try {
    return config.get(provisionKey);
  } catch {
    return undefined;
  }
}

function isChoria(config: Config): boolean {
  return config.get("plugin.security.provider") === "choria";
}

function readSettings(path: string | undefined): { settings?: ProvisioningSettings; warning?: string } {
  if (path === undefined) return {};
  try {
    return { settings: readProvisioningToken(path) };
  } catch (error) {
    return { warning: errorText(error) };
  }
}

interface Found {
  config: Config;
  /** What is wrong with it. */
  damage?: string;
  /** The error with which a server that cannot be provisioned has to give up. */
  error?: Error;
}

function readConfiguration(file: string, env: ExamineOptions["env"]): Found {
  // A file that cannot be read at all is for the operator to repair, so this may throw.
  const text = readFileSync(file, "utf8");
  try {
    const config = loadConfig(file, { kind: "system", env });
    const missing = missingKeys(config);
    return missing === undefined ? { config } : { config, damage: missing };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return { config: lenientConfig(text, file, env), damage: failure.message, error: failure };
  }
}

function missingKeys(config: Config): string | undefined {
  if (!isChoria(config)) return undefined;
  const missing = (["plugin.security.choria.token_file"] as const).filter((key) => config.get(key) === "");
  if (missing.length > 0) return `${missing.join(", ")} is not set`;
  try {
    if (config.issuers().size > 0 || config.get("plugin.security.choria.trusted_signers").length > 0) return undefined;
    return "plugin.security.issuer.names is not set";
  } catch (error) {
    return errorText(error);
  }
}

/** What can be read of a configuration that does not hold together. */
function lenientConfig(text: string, file: string, env: ExamineOptions["env"]): Config {
  const entries = new Map<string, ConfigEntry>();
  for (const { key, value, line } of parseConf(text)) entries.set(key, { value, place: `${file}:${line}` });
  return new Config(entries, { file, files: [file], home: env.HOME ?? "/" });
}
