import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../std/mod.ts";
import { type ManagerOptions, managerName, renderManager } from "./manager_machine.ts";
import { checkPluginName, type PluginEntry } from "./specification.ts";

/** Where the machines that look after plugins are. */
export interface ManagedPlugins extends ManagerOptions {
  /** Folder of all machines of the node. */
  store: string;
}

/** Manifests are a few hundred bytes; what is much larger is none of ours. */
const largestManifest = 65_536;

/**
 * Write the machine that looks after a plugin, unless it stands there as it should. One that was tampered with is
 * removed with all that lies in its folder.
 *
 * @returns whether it was written.
 * @throws the system's error.
 */
export function deployManager(plugin: PluginEntry, options: ManagedPlugins): boolean {
  const folder = join(options.store, managerName(options.prefix, plugin.name));
  const manifest = renderManager(plugin, options);
  if (holds(join(folder, "machine.yaml"), manifest)) return false;
  rmSync(folder, { recursive: true, force: true });
  writeFileAtomic(join(folder, "machine.yaml"), manifest, { mode: 0o600, makeFolders: true });
  return true;
}

/** Names of plugins that are looked after by machines of a prefix but should be no longer. */
export function unwantedPlugins(wanted: ReadonlySet<string>, { store, prefix }: ManagedPlugins): string[] {
  const start = `${prefix}_`;
  return readdirSync(store, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(start))
    .map((entry) => entry.name.slice(start.length))
    .filter((name) => isPluginName(name) && !wanted.has(name));
}

/** Remove the machine that looks after a plugin; the plugin itself stays. */
export function removeManager(plugin: string, { store, prefix }: ManagedPlugins): void {
  rmSync(join(store, managerName(prefix, plugin)), { recursive: true, force: true });
}

/** Remove what a plugin installed. */
export function removePlugin(plugin: string, { folder }: ManagedPlugins): void {
  rmSync(join(folder, plugin), { recursive: true, force: true });
}

function holds(file: string, manifest: string): boolean {
  try {
    const { size } = lstatSync(file);
    const isOurs = lstatSync(file).isFile() && !lstatSync(join(file, "..")).isSymbolicLink() && size <= largestManifest;
    return isOurs && digest(readFileSync(file)) === digest(manifest);
  } catch {
    return false;
  }
}

function digest(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function isPluginName(name: string): boolean {
  try {
    checkPluginName(name);
    return true;
  } catch {
    return false;
  }
}
