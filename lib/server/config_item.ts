import { type Config, type ConfigKey, catalogue, isConfigKey } from "../config/mod.ts";

/** Keys whose value is nobody's business, though callers may ask for any key. */
const secret = /pass|secret|token|seed/;

/**
 * The value of a configuration key as remote callers see it: durations are whole nanoseconds, secrets are masked.
 *
 * @returns undefined when the key is neither known nor set.
 */
export function configItem(config: Config, key: string): unknown {
  if (secret.test(key) && !key.endsWith("_file")) return config.has(key) ? "*****" : isConfigKey(key) ? "" : undefined;
  if (!isConfigKey(key)) return config.option(key);
  const value = derived(config, key) ?? config.get(key);
  if (key === "rpcauthprovider") return capitalize(String(value));
  return catalogue[key].type === "duration" ? Math.round(Number(value) * 1e6) : value;
}

/** Keys whose default hangs on others. */
function derived(config: Config, key: ConfigKey): unknown {
  if (key === "collectives") return config.collectives;
  if (key === "main_collective") return config.mainCollective;
  return undefined;
}

/** The original keeps this one with a capital, and its clients show it so. */
function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
