import { cpus } from "node:os";
import { type JsonObject, version } from "../std/mod.ts";
import { configItem } from "./config_item.ts";
import { encodeMachineState, machineSummaries } from "./machines.ts";
import type { ServerNode } from "./node.ts";
import { scoutData } from "./scout_data.ts";

/** Answers a query about the node; what it throws leaves the caller without an answer. */
export type DataPlugin = (query: string) => unknown;

/**
 * The data plugins of a server by name, sorted. A server that is being provisioned has none.
 */
export function dataPlugins(node: ServerNode): ReadonlyMap<string, DataPlugin> {
  if (node.isProvisioning) return new Map();
  return new Map<string, DataPlugin>([
    ["choria", () => choria(node)],
    ["config_item", (key) => lookUpConfigItem(node, key)],
    ["machine_state", (query) => machineState(node, query)],
    ["scout", (query) => scoutData(node.machines, query, node.clock.now())],
  ]);
}

function choria(node: ServerNode): JsonObject {
  const { stats, config, clock } = node;
  const agents = node.agents().map(({ name }) => name);
  const classes = node.classes();
  const machines = machineSummaries(node).map(({ name }) => name);
  return {
    agents,
    agents_count: agents.length,
    built: "unknown",
    classes,
    classes_count: classes.length,
    commit: "unknown",
    configfile: config.file,
    connected_broker: node.connection.server,
    cpus: cpus().length,
    events: stats.events,
    filtered: stats.filtered,
    go_version: `bun ${Bun.version}`,
    goroutines: 0,
    license: "Apache-2.0",
    machines,
    machines_count: machines.length,
    passed: stats.passed,
    pid: process.pid,
    provisioning: node.isProvisioning,
    replies: stats.replies,
    total: stats.total,
    ttlexpired: stats.ttlexpired,
    unvalidated: stats.invalid,
    uptime: Math.floor((clock.now() - node.startedAt) / 1_000),
    validated: stats.valid,
    version,
  };
}

function lookUpConfigItem({ config }: ServerNode, key: string): JsonObject {
  const value = configItem(config, key);
  return { present: value !== undefined, value: value ?? null };
}

function machineState({ machines }: ServerNode, query: string): JsonObject {
  const found = machines?.states().find(({ name, path, id }) => [name, path, id].includes(query));
  if (found === undefined) throw new Error(`no machine matching ${JSON.stringify(query)} found`);
  return encodeMachineState(found);
}
