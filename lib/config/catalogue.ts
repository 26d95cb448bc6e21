import { brokerSettings } from "./catalogue_broker.ts";
import { clientSettings } from "./catalogue_client.ts";
import { commonSettings } from "./catalogue_common.ts";
import { serverSettings } from "./catalogue_server.ts";
import type { Setting } from "./setting.ts";

/** Every key that the project reads from a `.conf` file, with its type, default and meaning. */
export const catalogue = {
  ...commonSettings,
  ...brokerSettings,
  ...serverSettings,
  ...clientSettings,
} as const;

/** A key of the {@link catalogue}. */
export type ConfigKey = keyof typeof catalogue;

/** The type of a key's value. */
export type ConfigValue<K extends ConfigKey> = (typeof catalogue)[K] extends Setting<infer T> ? T : never;

/** Whether a text is a key of the catalogue. */
export function isConfigKey(key: string): key is ConfigKey {
  return Object.hasOwn(catalogue, key);
}
