import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../../config/mod.ts";
import { hostAndPort, lookupBrokers, type SrvLookup } from "../../connector/mod.ts";
import { isFile } from "../../std/mod.ts";
import { decodeTokenUnverified } from "../../tokens/mod.ts";

/** What a node's `provisioning.jwt` tells it. */
export interface ProvisioningSettings {
  /** Where the token lies, absolute. */
  tokenFile: string;
  /** The token itself: what an unprovisioned node shows the broker. */
  token: string;
  /** Shared secret that callers of the provisioning agent must present. */
  secret: string;
  /** Brokers as `host:port`; empty where {@link ProvisioningSettings.srvDomain} names them. */
  brokers: string[];
  /** Domain whose `_choria-provisioner._tcp` records name the brokers. */
  srvDomain?: string;
  /** Provision unless the configuration says no. */
  isDefault: boolean;
  /** Whether the provisioner may upgrade the node. */
  allowUpdate: boolean;
  /** File of facts. */
  facts?: string;
  /** File that is published as registration data. */
  registration?: string;
  /** NATS user and password; only ever both. */
  user?: string;
  password?: string;
}

/** Where a packaged node keeps its provisioning token. */
const systemTokenFile = "/etc/choria/provisioning.jwt";

/**
 * Find a node's provisioning token: `provisioning.jwt` beside its configuration file, else the file that the key
 * `plugin.choria.server.provisioning_jwt` names, else the one in the environment variable `CHORIA_PROVISIONING_JWT`,
 * else `/etc/choria/provisioning.jwt`.
 *
 * @returns its path, or undefined when there is none.
 */
export function findProvisioningToken(
  configFile: string,
  config: Pick<Config, "option"> | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const beside = join(dirname(configFile), "provisioning.jwt");
  if (isFile(beside)) return beside;
  const named = config?.option("plugin.choria.server.provisioning_jwt") ?? env.CHORIA_PROVISIONING_JWT;
  const path = named ?? systemTokenFile;
  return isFile(path) ? path : undefined;
}

/**
 * Read a provisioning token without verifying it, as the node has no key to verify it with.
 *
 * @throws {Error} `Configuration of the provisioner settings based on JWT file F failed: …`.
 */
export function readProvisioningToken(path: string): ProvisioningSettings {
  try {
    return decodeProvisioningToken(readFileSync(path, "utf8"), path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Configuration of the provisioner settings based on JWT file ${path} failed: ${reason}`, {
      cause: error,
    });
  }
}

/**
 * What a provisioning token says.
 *
 * @param tokenFile Where it lies; only remembered.
 * @throws {Error} when it is not a provisioning token, or one that leads nowhere.
 */
export function decodeProvisioningToken(text: string, tokenFile: string): ProvisioningSettings {
  const claims = decodeTokenUnverified(text);
  if (claims.purpose !== "choria_provisioning") throw new Error("not a provisioning token");
  const { cht, chu, chsrv, chpd, chf, chrd, chusr, chpwd, update = false } = claims;
  if (!cht) throw new Error("no auth token");
  if (!chu && !chsrv) throw new Error("no srv domain or urls");
  if (chu && chsrv) throw new Error("both srv domain and URLs supplied");
  return {
    tokenFile,
    token: text.trim(),
    secret: cht,
    brokers: (chu ?? "").split(",").map(hostAndPort).filter(Boolean),
    ...(chsrv ? { srvDomain: chsrv } : {}),
    isDefault: chpd,
    allowUpdate: update,
    ...(chf ? { facts: chf } : {}),
    ...(chrd ? { registration: chrd } : {}),
    ...(chusr && chpwd ? { user: chusr, password: chpwd } : {}),
  };
}

/** The brokers of an unprovisioned node as `host:port`; none while DNS does not name them. */
export async function provisioningBrokers(settings: ProvisioningSettings, lookup?: SrvLookup): Promise<string[]> {
  if (settings.srvDomain === undefined) return settings.brokers;
  return lookupBrokers(`_choria-provisioner._tcp.${settings.srvDomain}`, lookup);
}
