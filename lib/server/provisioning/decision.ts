import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { type Config, configFrom, hostIdentity } from "../../config/mod.ts";
import type { Clock, Logger } from "../../std/mod.ts";
import { examineNode } from "./examine.ts";
import type { ProvisioningSettings } from "./settings.ts";

/** What a server is when it starts. */
export type ServerMode =
  | {
      kind: "provisioned";
      config: Config;
      /** Present where the node could be provisioned again: the provisioning agent then stays active. */
      settings?: ProvisioningSettings;
    }
  | {
      kind: "provisioning";
      /** A configuration for the time being: nothing of the node's own but what provisioning needs. */
      config: Config;
      settings: ProvisioningSettings;
      reason: string;
    };

/** What {@link decideMode} goes by. */
export interface DecideOptions {
  /** The server's configuration file. It need not exist. */
  configFile: string;
  /** Name of an unprovisioned node; `CHORIA_IDENTITY` and then the host's own name by default. */
  identity?: string;
  /** Environment variables; the process's own by default. */
  env?: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  logger: Logger;
}

/** Keys that name credentials, which a node gives up on its way into provisioning. */
const credentialKeys = ["plugin.security.choria.seed_file", "plugin.security.choria.token_file"] as const;
/** The same of the security provider that came before. */
const formerCredentialKeys = [
  "plugin.choria.security.server.seed_file",
  "plugin.choria.security.server.token_file",
] as const;

/**
 * Decide what a server is, see {@link examineNode}, and when it is to be provisioned remove the credentials that its
 * configuration names and make it a configuration to be provisioned with.
 *
 * @throws {Error} when it can be neither.
 */
export async function decideMode(options: DecideOptions): Promise<ServerMode> {
  const { env = process.env, clock, logger } = options;
  const configFile = resolve(options.configFile);
  const verdict = examineNode({ configFile, env, now: clock.now() });
  if (verdict.warning !== undefined) logger.error(verdict.warning);
  const { settings } = verdict;
  if (settings !== undefined) logger.info(`Setting build defaults to those found in ${settings.tokenFile}`);
  if (!verdict.provision) {
    const { config } = verdict;
    return settings === undefined ? { kind: "provisioned", config } : { kind: "provisioned", config, settings };
  }
  const { old, reason } = verdict;
  logger.warn(
    "Switching to provisioning configuration due to build defaults and server.provision configuration setting",
    {
      reason,
      config: configFile,
    },
  );
  if (old !== undefined) removeCredentials(old, verdict.settings.tokenFile);
  const identity = options.identity || env.CHORIA_IDENTITY || (await hostIdentity());
  const config = provisioningConfig(verdict.settings, { configFile, identity, ...(old === undefined ? {} : { old }) });
  return { kind: "provisioning", config, settings: verdict.settings, reason };
}

/**
 * The configuration of a node that is being provisioned. Of the old one only the way it logs is kept.
 */
export function provisioningConfig(
  settings: ProvisioningSettings,
  node: { configFile: string; identity: string; old?: Config },
): Config {
  const { facts, registration, user, password } = settings;
  return configFrom(
    {
      identity: node.identity,
      collectives: "provisioning",
      main_collective: "provisioning",
      rpcauthorization: "0",
      "plugin.security.provider": "choria",
      "plugin.security.choria.token_file": settings.tokenFile,
      "plugin.security.choria.sign_replies": "0",
      "plugin.choria.server.provision": "1",
      "plugin.choria.server.provision.allow_update": settings.allowUpdate ? "1" : "0",
      "plugin.choria.middleware_hosts": settings.brokers.join(","),
      "plugin.choria.srv_domain": settings.srvDomain ?? "",
      ...(facts === undefined ? {} : { "plugin.yaml": facts }),
      ...(registration === undefined ? {} : registrationSettings(registration)),
      ...(user === undefined ? {} : { "plugin.nats.user": user }),
      ...(password === undefined ? {} : { "plugin.nats.pass": password }),
      ...loggingOf(node.old),
    },
    node.configFile,
  );
}

function registrationSettings(file: string): Record<string, string> {
  return {
    registration: "file_content",
    registerinterval: "120",
    registration_splay: "0",
    registration_collective: "provisioning",
    "plugin.choria.registration.file_content.data": file,
    "plugin.choria.registration.file_content.target": "provisioning.registration.data",
  };
}

/** A damaged line must not keep the node from starting, so only what reads well is taken over. */
function loggingOf(old: Config | undefined): Record<string, string> {
  const kept: Record<string, string> = {};
  const problems = new Set(old?.problems().map(({ key }) => key));
  for (const key of ["logfile", "loglevel"] as const) {
    const value = old?.option(key);
    if (value !== undefined && !problems.has(key)) kept[key] = value;
  }
  return kept;
}

function removeCredentials(old: Config, tokenFile: string): void {
  const paths = [...credentialKeys.map((key) => old.get(key)), ...formerCredentialKeys.map((key) => old.option(key))];
  for (const path of paths) {
    // A configuration that names the provisioning token as the server's own must not take the way back away.
    if (!path || resolve(path) === resolve(tokenFile)) continue;
    try {
      rmSync(path, { force: true });
    } catch {
      // Provisioning replaces them anyhow; being unable to remove them early is no reason not to start.
    }
  }
}
