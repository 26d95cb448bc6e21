import type { Config } from "../../config/mod.ts";
import { formatDuration, version } from "../../std/mod.ts";
import type { Manifest, ManifestWatcher } from "../manifest.ts";

/**
 * The machine that every server has whose configuration sets `plugin.machines.download`: it reads a specification of
 * machines from a bucket, follows it, and gives the node the machines that it lists.
 *
 * @returns undefined where the configuration does not ask for it.
 */
export function pluginsManager(config: Config): Manifest | undefined {
  if (!config.get("plugin.machines.download")) return undefined;
  const fromAnywhere = { description: "", subscribe: [] };
  return {
    name: "plugins_manager",
    version,
    initialState: "INITIAL",
    splayStart: 0,
    transitions: [
      { name: "maintenance", from: ["MANAGE", "INITIAL"], destination: "MAINTENANCE", ...fromAnywhere },
      { name: "resume", from: ["MAINTENANCE"], destination: "MANAGE", ...fromAnywhere },
      { name: "manage_plugins", from: ["INITIAL"], destination: "MANAGE", ...fromAnywhere },
    ],
    watchers: watchers(config),
  };
}

function watchers(config: Config): ManifestWatcher[] {
  const item = config.get("plugin.machines.key");
  const poll = config.get("plugin.machines.poll_interval");
  const check = config.get("plugin.machines.check_interval");
  const bucket = { bucket: config.get("plugin.machines.bucket"), key: item, mode: "poll", bucket_prefix: false };
  return [
    {
      ...watcher("initial_specification", "kv", poll, "INITIAL"),
      successTransition: "manage_plugins",
      properties: { ...bucket, on_successful_get: true },
    },
    { ...watcher("specification", "kv", poll, "MANAGE"), properties: bucket },
    {
      ...watcher("manage_machines", "plugins", check, "MANAGE"),
      properties: {
        data_item: item,
        purge_unknown: config.get("plugin.machines.purge"),
        manager_machine_prefix: "mm",
        plugin_manage_interval: formatDuration(check),
        public_key: config.get("plugin.machines.signing_key"),
      },
    },
  ];
}

function watcher(name: string, type: string, interval: number, state: string): ManifestWatcher {
  return {
    name,
    type,
    interval,
    stateMatch: [state],
    foreignStates: [],
    successTransition: "",
    failTransition: "",
    announceInterval: 0,
    properties: {},
  };
}
