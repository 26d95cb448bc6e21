import { formatDuration } from "../../std/mod.ts";
import type { PluginEntry } from "./specification.ts";

/** File of digests that every plugin's folder holds. */
export const pluginSums = "SHA256SUMS";

/** Where and how often a plugin is looked after. */
export interface ManagerOptions {
  /** What stands before the plugin's name in that of the machine, without the underscore. */
  prefix: string;
  /** Folder that the plugin's folder belongs in. */
  folder: string;
  /** Milliseconds between looks at it. */
  interval: number;
}

/** Name, and folder, of the machine that looks after a plugin. */
export function managerName(prefix: string, plugin: string): string {
  return `${prefix}_${plugin}`;
}

/**
 * The manifest of the machine that fetches a plugin and keeps it as it should be. Nodes of ours and of the original
 * write the same bytes, so neither takes the other's for tampered with.
 */
export function renderManager(plugin: PluginEntry, { prefix, folder, interval }: ManagerOptions): string {
  // What JSON quotes is quoted for YAML as well.
  const quote = (text: string) => JSON.stringify(text);
  return `name: ${quote(managerName(prefix, plugin.name))}
version: 1.0.0
initial_state: MANAGE

transitions:
  - name: enter_maintenance
    from: [ MANAGE ]
    destination: MAINTENANCE

  - name: resume
    from: [ MAINTENANCE ]
    destination: MANAGE

watchers:
  - name: download
    type: archive
    interval: ${quote(formatDuration(interval))}
    state_match:
      - MANAGE
    properties:
      checksum: ${quote(plugin.checksum)}
      creates: ${quote(plugin.name)}
      governor: ${quote(plugin.governor)}
      password: ${quote(plugin.password)}
      source: ${quote(plugin.source)}
      target: ${quote(folder)}
      username: ${quote(plugin.username)}
      verify: ${quote(pluginSums)}
      verify_checksum: ${quote(plugin.verifyChecksum)}
`;
}
