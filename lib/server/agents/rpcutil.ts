import { cpus } from "node:os";
import { lookup } from "../../expr/mod.ts";
import {
  type Action,
  ActionError,
  type Agent,
  type AgentMetadata,
  type RpcAgentOptions,
  rpcAgent,
} from "../../rpc/mod.ts";
import { errorText, type JsonObject, version } from "../../std/mod.ts";
import { configItem } from "../config_item.ts";
import { type DataPlugin, dataPlugins } from "../data_plugins.ts";
import { optionalText, requiredText } from "../inputs.ts";
import { machineSummaries } from "../machines.ts";
import type { ServerNode } from "../node.ts";
import { author } from "./author.ts";

/** The agent `rpcutil`: what a server has to say about itself. */
export function rpcutilAgent(node: ServerNode, options: RpcAgentOptions): Agent {
  const metadata = {
    ...author,
    name: "rpcutil",
    description: "Tells callers about the state of this server",
    version,
    timeout: 2,
  };
  const plugins = dataPlugins(node);
  const actions: Record<string, Action> = {
    ping: () => ({ pong: Math.floor(node.clock.now() / 1_000) }),
    get_fact: (data) => getFact(data, node),
    get_facts: (data) => getFacts(data, node),
    inventory: () => inventory(node, plugins),
    agent_inventory: () => ({ agents: node.agents().map(describeAgent) }),
    collective_info: () => ({ main_collective: node.mainCollective, collectives: node.collectives }),
    daemon_stats: () => daemonStats(node),
    get_config_item: (data) => getConfigItem(data, node),
    get_data: (data) => getData(data, node, plugins, options),
  };
  return rpcAgent(metadata, actions, options);
}

async function getFact(data: JsonObject, node: ServerNode): Promise<JsonObject> {
  const fact = requiredText(data, "fact", { maxLength: 512 });
  return { fact, value: findFact(await node.facts(), fact) };
}

async function getFacts(data: JsonObject, node: ServerNode): Promise<JsonObject> {
  const list = requiredText(data, "facts", { maxLength: 200, pattern: /^\s*[\w.-]+(\s*,\s*[\w.-]+)*$/ });
  const facts = await node.facts();
  const names = list.split(",").map((name) => name.trim());
  return { values: Object.fromEntries(names.sort().map((name) => [name, findFact(facts, name)])) };
}

function findFact(facts: JsonObject, path: string): unknown {
  try {
    return lookup(facts, path) ?? null;
  } catch (error) {
    throw new ActionError(`Could not look up the fact: ${errorText(error)}`);
  }
}

async function inventory(node: ServerNode, plugins: ReadonlyMap<string, DataPlugin>): Promise<JsonObject> {
  return {
    agents: node.agents().map(({ name }) => name),
    classes: node.classes(),
    collectives: node.collectives,
    data_plugins: [...plugins.keys()],
    facts: await node.facts(),
    machines: machineSummaries(node),
    main_collective: node.mainCollective,
    version,
    // There is no program file that could be swapped for another version of itself.
    upgradable: false,
  };
}

function describeAgent(metadata: AgentMetadata): JsonObject {
  const { license, author: by, timeout, name, version: release, url, description, provider, service } = metadata;
  return {
    agent: name,
    license,
    author: by,
    timeout,
    name,
    version: release,
    url,
    description,
    ...(provider ? { provider } : {}),
    ...(service ? { service } : {}),
  };
}

function daemonStats(node: ServerNode): JsonObject {
  const { stats, config, startedAt } = node;
  const { user, system } = process.cpuUsage();
  return {
    agents: node.agents().map(({ name }) => name),
    configfile: config.file,
    filtered: stats.filtered,
    pid: process.pid,
    passed: stats.passed,
    threads: [`Bun ${Bun.version} on ${cpus().length} cores`],
    replies: stats.replies,
    starttime: Math.floor(startedAt / 1_000),
    ttlexpired: stats.ttlexpired,
    events: stats.events,
    // Whole seconds: the original's clients read integers alone.
    times: { cstime: 0, cutime: 0, stime: Math.floor(system / 1e6), utime: Math.floor(user / 1e6) },
    total: stats.total,
    unvalidated: stats.invalid,
    validated: stats.valid,
    version,
  };
}

function getConfigItem(data: JsonObject, { config }: ServerNode): JsonObject {
  const item = requiredText(data, "item", { maxLength: 120 });
  const value = configItem(config, item);
  if (value === undefined) throw new ActionError("Unknown key");
  return { item, value };
}

function getData(
  data: JsonObject,
  node: ServerNode,
  plugins: ReadonlyMap<string, DataPlugin>,
  { logger }: RpcAgentOptions,
): unknown {
  const source = requiredText(data, "source", { maxLength: 50, pattern: /^\w+$/ });
  const query = optionalText(data, "query", { maxLength: 200 });
  if (node.isProvisioning) throw new ActionError("Could not load data sources");
  const plugin = plugins.get(source);
  if (plugin === undefined) throw new ActionError("Unknown data plugin");
  try {
    return plugin(query);
  } catch (error) {
    logger.warn("A data plugin has no answer", { source, reason: errorText(error) });
    return null;
  }
}
