#!/usr/bin/env -S bun --config=/dev/null --no-env-file
/**
 * The provisioning helper of the sample network: decides what a new server's configuration and token hold.
 *
 * Run by the provisioner for each node, it reads a request from stdin and prints the reply:
 *
 *   helper: /etc/choria-provisioner/helper.ts /etc/choria-provisioner/helper.json
 *
 * With `helper_module: true` the provisioner imports it instead. The settings file may also be named by the environment
 * variable `CHORIA_HELPER_SETTINGS`; by default it is `helper.json` beside this file.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HelperReply, HelperRequest } from "../../lib/provisioner/mod.ts";

/** What the servers of one network have in common: the settings file, JSON. */
interface Settings {
  /** Brokers, as `plugin.choria.middleware_hosts` holds them. */
  brokers: string;
  /** Public key of the organization issuer, hex. */
  issuer: string;
  /** Public key that signs autonomous agents, hex. */
  pluginSigner?: string;
  /**
   * `system` puts everything where a packaged server has it, `folder` beside the configuration file, for several
   * servers on one machine.
   * @default "system"
   */
  layout?: "system" | "folder";
  /** @default "warn" */
  loglevel?: string;
  /** Any further settings, and others in place of those below. */
  configuration?: Record<string, string>;
}

type Reply = Pick<HelperReply, "defer" | "msg"> & Partial<Pick<HelperReply, "configuration" | "server_claims">>;

const yearSeconds = 365 * 24 * 60 * 60;

/** What the provisioner calls where it imports this module. */
export default function helper(request: HelperRequest): Reply {
  return decide(request, readSettings());
}

function decide(request: HelperRequest, settings: Settings): Reply {
  const { identity, ed25519_pubkey: key } = request;
  if (!identity) return { defer: true, msg: "No identity received in request" };
  if (!key) return { defer: true, msg: "No ed25519 public key received" };
  if (!key.directory) return { defer: true, msg: "No ed25519 directory received" };
  return {
    defer: false,
    msg: "Done",
    configuration: { ...configuration(identity, key.directory, settings), ...settings.configuration },
    server_claims: {
      exp: 5 * yearSeconds,
      permissions: { streams: true, submission: true, service_host: true },
    },
  };
}

function configuration(identity: string, directory: string, settings: Settings): Record<string, string> {
  const { brokers, issuer, pluginSigner, loglevel = "warn" } = settings;
  const places = settings.layout === "folder" ? folderPlaces(directory) : systemPlaces(directory);
  return {
    identity,
    loglevel,
    "plugin.choria.server.provision": "false",
    "plugin.choria.middleware_hosts": brokers,
    rpcauthorization: "1",
    rpcauthprovider: "aaasvc",
    "plugin.choria.status_file_path": places.status,
    "plugin.choria.submission.spool": places.submission,
    "plugin.security.issuer.names": "choria",
    "plugin.security.issuer.choria.public": issuer,
    "plugin.security.provider": "choria",
    "plugin.security.choria.token_file": join(directory, "server.jwt"),
    "plugin.security.choria.seed_file": join(directory, "server.seed"),
    "plugin.choria.machine.store": places.machines,
    "plugin.choria.services.registry.store": places.plugins,
    "plugin.choria.agent_provider.mcorpc.libdir": places.plugins,
    registration: "inventory_content",
    registerinterval: "60",
    "plugin.yaml": places.facts,
    "plugin.choria.executor.spool": places.executor,
    "plugin.choria.executor.enabled": "true",
    ...(pluginSigner === undefined ? {} : signedPlugins(pluginSigner)),
  };
}

function signedPlugins(key: string): Record<string, string> {
  return {
    "plugin.choria.machine.signing_key": key,
    "plugin.machines.signing_key": key,
    "plugin.machines.key": "plugins",
    "plugin.machines.bucket": "CHORIA_PLUGINS",
    "plugin.machines.download": "1",
  };
}

function systemPlaces(directory: string) {
  return {
    status: "/var/log/choria-status.json",
    submission: "/var/lib/choria/submission",
    machines: join(directory, "machine"),
    plugins: "/var/lib/choria/plugins",
    facts: join(directory, "facts.json"),
    executor: "/var/spool/choria/executor",
  };
}

function folderPlaces(directory: string) {
  return {
    status: join(directory, "status.json"),
    submission: join(directory, "submission"),
    machines: join(directory, "machine"),
    plugins: join(directory, "plugins"),
    facts: join(directory, "facts.json"),
    executor: join(directory, "executor"),
  };
}

function readSettings(named = process.env.CHORIA_HELPER_SETTINGS): Settings {
  const path = named ?? join(import.meta.dir, "helper.json");
  return JSON.parse(readFileSync(path, "utf8")) as Settings;
}

function answer(): Reply {
  try {
    return decide(JSON.parse(readFileSync(0, "utf8")) as HelperRequest, readSettings(process.argv[2]));
  } catch (error) {
    return { defer: true, msg: `Unexpected failure during provisioning: ${error}` };
  }
}

if (import.meta.main) console.log(JSON.stringify(answer()));
