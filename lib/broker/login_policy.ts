import type { Config } from "../config/mod.ts";
import { isPublicKey } from "../crypto/mod.ts";
import type { Logger } from "../std/mod.ts";
import { readVerifyKey, type VerifyKey } from "../tokens/mod.ts";

/** Whom the broker lets in, as its configuration says. */
export interface LoginPolicy {
  /** Public keys of the organization issuers by name. */
  issuers: ReadonlyMap<string, string>;
  /** Password of the user `provisioner`; without one there is no provisioning. */
  provisionerPassword: string;
  /** Let the provisioner in by its password alone. */
  allowTokenlessProvisioner: boolean;
  /** Key of provisioning tokens that are signed with RSA. */
  provisioningSigner?: VerifyKey;
  systemUser: string;
  systemPassword: string;
  /** Let servers connect and do nothing. */
  denyServers: boolean;
  /** Keep sessions open when their token expires. */
  keepExpired: boolean;
}

/**
 * The policy of a configuration. An organization whose key is missing or damaged is left out, with an error in the
 * log.
 *
 * @throws {Error} when no organization is left.
 */
export function loginPolicy(config: Config, logger: Logger): LoginPolicy {
  const signer = config.option("plugin.choria.network.provisioning.signer_cert");
  return {
    issuers: issuersOf(config, logger),
    provisionerPassword: config.get("plugin.choria.network.provisioning.client_password"),
    allowTokenlessProvisioner: config.get("plugin.choria.network.provisioning.provisioner_without_token"),
    ...(signer ? { provisioningSigner: readVerifyKey(signer) } : {}),
    systemUser: config.get("plugin.choria.network.system.user"),
    systemPassword: config.get("plugin.choria.network.system.password"),
    denyServers: config.get("plugin.choria.network.deny_server_connections"),
    keepExpired: config.get("plugin.choria.network.keep_expired_connections"),
  };
}

function issuersOf(config: Config, logger: Logger): Map<string, string> {
  const issuers = new Map<string, string>();
  for (const name of config.get("plugin.security.issuer.names")) {
    const option = `plugin.security.issuer.${name}.public`;
    const key = config.option(option)?.trim().toLowerCase() ?? "";
    if (isPublicKey(key)) {
      issuers.set(name, key);
      logger.info(`Loaded Organization Issuer ${name} with public key ${key}`);
    } else {
      logger.error("An organization issuer is left out: its public key is not 64 hex characters", {
        issuer: name,
        option,
      });
    }
  }
  if (issuers.size === 0) {
    const options = config.get("plugin.security.issuer.names").map((name) => `plugin.security.issuer.${name}.public`);
    throw new Error(
      `Cannot start the broker: no organization issuer has a usable public key: set ${options.join(", ")} to 64 hex characters`,
    );
  }
  return issuers;
}
