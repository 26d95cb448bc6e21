import type { Config } from "../config/mod.ts";
import type { Json } from "../std/mod.ts";

type Block = { [key: string]: Json };

/** Other clusters that this one joins by a gateway. */
export function gatewayRemotes(config: Config, names: readonly string[]): Json[] {
  return names.map((name) => {
    const prefix = `plugin.choria.network.gateway_remote.${name}`;
    const urls = required(config, `${prefix}.urls`)
      .split(",")
      .map((url) => withScheme(url.trim()));
    return { name, urls, ...remoteTls(config, prefix, false) };
  });
}

/** Brokers that this one joins as a leaf node. */
export function leafnodeRemotes(config: Config, names: readonly string[]): Json[] {
  return names.map((name) => {
    const prefix = `plugin.choria.network.leafnode_remote.${name}`;
    const credentials = config.option(`${prefix}.credentials`);
    return {
      url: withScheme(required(config, `${prefix}.url`)),
      account: config.option(`${prefix}.account`) ?? "choria",
      ...(credentials ? { credentials } : {}),
      ...remoteTls(config, prefix, true),
    };
  });
}

/**
 * TLS of a link, with this broker's certificate where the link has none of its own.
 *
 * @param byDefault Whether the link uses TLS where nothing is said about it.
 */
function remoteTls(config: Config, prefix: string, byDefault: boolean): Block {
  const option = (key: string) => config.option(`${prefix}.tls.${key}`) ?? "";
  const isSet = ["cert", "key", "ca"].some((key) => option(key) !== "");
  if (isTrue(option("disable")) || !(byDefault || isSet)) return {};
  const ca = option("ca") || config.get("plugin.security.choria.ca");
  return {
    tls: {
      cert_file: option("cert") || config.get("plugin.security.choria.certificate"),
      key_file: option("key") || config.get("plugin.security.choria.key"),
      ...(ca === "" ? {} : { ca_file: ca }),
      insecure: option("verify") !== "" && !isTrue(option("verify")),
    },
  };
}

function required(config: Config, option: string): string {
  const value = config.option(option);
  if (!value) throw new Error(`Cannot join another broker: ${option} is not set`);
  return value;
}

function withScheme(url: string): string {
  return /^[a-z-]+:\/\//.test(url) ? url : `nats://${url}`;
}

function isTrue(text: string): boolean {
  return /^(1|yes|true|y|t)$/i.test(text);
}
