import type { MachineEvent, MachineHost, MachineNode, MachineSettings, MachineState } from "../machine/mod.ts";
import { errorText, type JsonObject, type Logger } from "../std/mod.ts";
import type { ServerNode } from "./node.ts";

/**
 * Run the autonomous agents that stand in the folder of `plugin.choria.machine.store`, and the one that fetches others
 * where `plugin.machines.download` is set. A store that cannot be used is logged, and the server serves without it.
 *
 * @param onInstalled Called when a machine has fetched an archive, which may hold an agent.
 * @returns undefined where the configuration has no store, and while the node is being provisioned.
 */
export async function startMachines(
  node: ServerNode,
  logger: Logger,
  onInstalled: () => void,
): Promise<MachineHost | undefined> {
  const { config } = node;
  const store = config.get("plugin.choria.machine.store");
  if (store === "" || node.isProvisioning) return undefined;
  const { pluginsManager, startMachineHost } = await import("../machine/mod.ts");
  const manager = pluginsManager(config);
  if (manager !== undefined) {
    const place = `${config.get("plugin.machines.bucket")} > ${config.get("plugin.machines.key")}`;
    logger.info(`Starting autonomous agent plugin management using KV ${place}`);
  }
  try {
    const embedded = manager === undefined ? [] : [manager];
    const httpPort = config.get("plugin.choria.machine.http_port");
    const onEvent = (event: MachineEvent) => {
      if (isInstallation(event)) onInstalled();
    };
    return await startMachineHost({ store, embedded, node: machineNode(node), httpPort, onEvent, logger });
  } catch (error) {
    logger.error("Autonomous agents do not run", { folder: store, reason: errorText(error) });
    return undefined;
  }
}

function isInstallation(event: MachineEvent): boolean {
  return event.kind === "watcher" && event.type === "archive" && event.fields.previous_outcome === "downloaded";
}

function machineNode(node: ServerNode): MachineNode {
  return {
    identity: node.identity,
    collective: node.mainCollective,
    clock: node.clock,
    random: Math.random,
    facts: () => node.facts(),
    connection: node.connection,
    settings: machineSettings(node),
  };
}

function machineSettings({ config }: ServerNode): MachineSettings {
  return {
    textfileFolder: config.get("plugin.choria.prometheus_textfile_directory"),
    overridesFile: config.get("plugin.scout.overrides"),
    statusFile: config.get("plugin.choria.status_file_path"),
    statusInterval: config.get("plugin.choria.status_update_interval") * 1_000,
    signingKey: config.get("plugin.choria.machine.signing_key"),
    deniedGossResources: config.get("plugin.scout.goss.denied_local_resources"),
  };
}

/** The autonomous agents of a node in a few words, as inventories hold them. */
export function machineSummaries({ machines }: ServerNode): { name: string; state: string; version: string }[] {
  return (machines?.states() ?? []).map(({ name, state, version }) => ({ name, state, version }));
}

/** A machine's state as the actions of `choria_util` and the data plugin `machine_state` give it. */
export function encodeMachineState(state: MachineState): JsonObject {
  const { name, version, path, id, startTime, availableTransitions, scout, currentState } = state;
  return {
    name,
    version,
    state: state.state,
    path,
    id,
    start_time: startTime,
    available_transitions: availableTransitions.length === 0 ? null : [...availableTransitions],
    scout,
    ...(currentState === undefined ? {} : { current_state: currentState }),
  };
}
