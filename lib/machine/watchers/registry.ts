import type { WatcherKind } from "../watcher.ts";

/** Every kind of watcher, each loaded when the first machine asks for it. */
const kinds: Readonly<Record<string, () => Promise<WatcherKind>>> = {
  archive: async () => (await import("./archive.ts")).kind,
  ccm_manifest: async () => (await import("./ccm_manifest.ts")).kind,
  exec: async () => (await import("./exec.ts")).kind,
  expression: async () => (await import("./expression.ts")).kind,
  file: async () => (await import("./file.ts")).kind,
  gossip: async () => (await import("./gossip.ts")).kind,
  httpswitch: async () => (await import("./httpswitch.ts")).kind,
  kv: async () => (await import("./kv.ts")).kind,
  metric: async () => (await import("./metric.ts")).kind,
  nagios: async () => (await import("./nagios.ts")).kind,
  plugins: async () => (await import("./plugins.ts")).kind,
  schedule: async () => (await import("./schedule.ts")).kind,
  timer: async () => (await import("./timer.ts")).kind,
};

/**
 * Find a kind of watcher.
 *
 * @throws {Error} where there is none of that type.
 */
export async function watcherKind(type: string): Promise<WatcherKind> {
  const load = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (load === undefined) throw new Error(`unknown watcher '${type}'`);
  return load();
}
