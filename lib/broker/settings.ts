import type { Config } from "../config/mod.ts";
import { readCertificateFiles } from "../crypto/mod.ts";
import { errorText, isFile, type Logger } from "../std/mod.ts";

const signerKeys = [
  "plugin.choria.network.client_signer_cert",
  "plugin.choria.network.server_signer_cert",
  "plugin.security.choria.trusted_signers",
];
const longestTimeout = 60_000;

/**
 * Refuse a configuration with which a broker cannot do its work.
 *
 * @throws {Error} naming the setting that is missing or contradicts another.
 */
export function checkBrokerSettings(config: Config): void {
  if (!config.get("plugin.choria.broker_network")) throw new Error("all broker features are disabled");
  if (
    config.get("plugin.choria.network.tls_timeout") > longestTimeout ||
    config.get("plugin.choria.network.auth_timeout") > longestTimeout
  ) {
    throw new Error(
      "plugin.choria.network.auth_timeout and plugin.choria.network.tls_timeout must not exceed 60 seconds",
    );
  }
  requireFile(config, "plugin.security.choria.certificate");
  requireFile(config, "plugin.security.choria.key");
  checkCertificate(config);
  if (config.get("plugin.security.issuer.names").length === 0) {
    throw new Error(
      "Cannot start the broker: no organization is trusted: set plugin.security.issuer.names and plugin.security.issuer.NAME.public",
    );
  }
  for (const key of signerKeys) {
    if (config.option(key))
      throw new Error(`cannot set trusted client signers using ${key} when an issuer is configured`);
  }
}

/** Say in the log which settings have no effect here. */
export function reportUnusedSettings(config: Config, logger: Logger): void {
  if (config.get("plugin.choria.broker_federation")) {
    logger.warn("The federation broker is configured, but this version of the broker has none");
  }
}

function checkCertificate(config: Config): void {
  try {
    readCertificateFiles(config.get("plugin.security.choria.certificate"), config.get("plugin.security.choria.key"));
  } catch (error) {
    throw new Error(`Cannot start the broker: ${errorText(error)}`, { cause: error });
  }
}

function requireFile(config: Config, key: "plugin.security.choria.certificate" | "plugin.security.choria.key"): void {
  const path = config.get(key);
  if (path === "") throw new Error(`Cannot start the broker: ${key} is not set, and nobody can connect without TLS`);
  if (!isFile(path)) throw new Error(`Cannot start the broker: ${key} = "${path}": there is no such file`);
}
