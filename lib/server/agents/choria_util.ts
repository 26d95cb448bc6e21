import { brokersOf } from "../../connector/mod.ts";
import { type Action, ActionError, type Agent, type RpcAgentOptions, rpcAgent } from "../../rpc/mod.ts";
import { type JsonObject, version } from "../../std/mod.ts";
import { optionalText, requiredText } from "../inputs.ts";
import type { ServerNode } from "../node.ts";
import { author } from "./author.ts";

/** The agent `choria_util`: the connection and the autonomous agents of a server. */
export function choriaUtilAgent(node: ServerNode, options: RpcAgentOptions): Agent {
  const metadata = {
    ...author,
    name: "choria_util",
    description: "Tells callers about the connection and the autonomous agents of this server",
    version,
    timeout: 10,
  };
  const actions: Record<string, Action> = {
    info: () => info(node),
    machine_states: () => ({ machine_ids: [], machine_names: [], states: {} }),
    machine_state: machineState,
    machine_transition: machineTransition,
  };
  return rpcAgent(metadata, actions, options);
}

async function info(node: ServerNode): Promise<JsonObject> {
  const { config, connection } = node;
  const brokers = await brokersOf(config);
  const stats = connection.nats.stats();
  const isTls = connection.nats.info?.tls_required === true || connection.nats.info?.tls_available === true;
  return {
    security: "choria",
    connector: "choria",
    client_version: version,
    client_flavour: `nats.js bun ${Bun.version}`,
    client_options: clientOptions(node, brokers, isTls),
    client_stats: {
      in_msgs: stats.inMsgs,
      out_msgs: stats.outMsgs,
      in_bytes: stats.inBytes,
      out_bytes: stats.outBytes,
      reconnects: node.reconnects,
    },
    connected_server: connection.server,
    facter_domain: "",
    facter_command: "",
    srv_domain: config.get("plugin.choria.srv_domain"),
    using_srv: config.get("plugin.choria.middleware_hosts").length === 0 && config.get("plugin.choria.use_srv"),
    middleware_servers: brokers,
    path: process.env.PATH ?? "",
    choria_version: `choria ${version}`,
    secure_protocol: !node.isProvisioning,
    connector_tls: isTls,
  };
}

function clientOptions({ config, identity }: ServerNode, brokers: readonly string[], isTls: boolean): JsonObject {
  return {
    servers: brokers.map((broker) => `nats://${broker}`),
    dont_randomize_servers: false,
    name: identity,
    pedantic: false,
    secure: isTls,
    allow_reconnect: true,
    max_reconnect_attempts: -1,
    reconnect_time_wait: 2,
    connect_timeout: Math.round(config.get("plugin.choria.network.connect_timeout") / 1_000),
    ping_interval: 30,
    max_outstanding_pings: 2,
  };
}

/** What callers get where no machine answers. */
const unknownMachine = {
  name: "unknown machine",
  version: "unknown machine",
  state: "unknown machine",
  path: "",
  id: "",
  start_time: 0,
  available_transitions: null,
  scout: false,
};

/** How a machine may be picked out. */
const criteria = {
  name: { maxLength: 128, pattern: /^[a-zA-Z][a-zA-Z0-9_-]+/ },
  instance: { maxLength: 36, pattern: /^.+-.+-.+-.+-.+$/ },
  path: { maxLength: 512 },
};

function machineState(data: JsonObject): never {
  const given = Object.entries(criteria).map(([name, rules]) => optionalText(data, name, rules));
  const isEmpty = given.every((value) => value === "");
  throw new ActionError(isEmpty ? "No search criteria given" : "No running machines", { data: unknownMachine });
}

function machineTransition(data: JsonObject): never {
  const transition = requiredText(data, "transition", { maxLength: 128, pattern: /^[a-zA-Z][a-zA-Z0-9_-]+$/ });
  for (const [name, rules] of Object.entries(criteria)) optionalText(data, name, rules);
  optionalText(data, "version", { maxLength: 20, pattern: /^\d+\.\d+\.\d+$/ });
  const reason = "autonomous agent host not initialized";
  throw new ActionError(`Could not perform ${transition} transition: ${reason}`, { data: { success: false } });
}
