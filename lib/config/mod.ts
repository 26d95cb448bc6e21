/**
 * Choria's `.conf` files: how they are found and read, every key with its type, default and meaning.
 *
 * @module
 */
export { type ConfigKey, type ConfigValue, catalogue, isConfigKey } from "./catalogue.ts";
export { type ConfLine, formatConf, parseConf } from "./conf_file.ts";
export { Config, type ConfigEntry, type ConfigProblem, configFrom } from "./config.ts";
export { hostIdentity } from "./identity.ts";
export { findClientConfig, type LoadOptions, loadConfig } from "./load.ts";
export type { Setting } from "./setting.ts";
