import { brokersOf } from "../../connector/mod.ts";
import { type Action, ActionError, type Agent, type RpcAgentOptions, rpcAgent } from "../../rpc/mod.ts";
import { errorText, type JsonObject, version } from "../../std/mod.ts";
import { optionalText, requiredText } from "../inputs.ts";
import { encodeMachineState } from "../machines.ts";
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
    machine_states: () => machineStates(node),
    machine_state: (data) => machineState(node, data),
    machine_transition: (data) => machineTransition(node, data),
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

function machineStates({ machines }: ServerNode): JsonObject {
  const states = machines?.states() ?? [];
  return {
    machine_ids: states.map(({ id }) => id),
    machine_names: states.map(({ name, version: release }) => `${name} ${release}`),
    states: Object.fromEntries(states.map((state) => [state.id, encodeMachineState(state)])),
  };
}

function machineState({ machines }: ServerNode, data: JsonObject): JsonObject {
  const wanted = criteriaOf(data);
  const fail = (reason: string) => new ActionError(reason, { data: unknownMachine });
  if (Object.values(wanted).every((value) => value === "")) throw fail("No search criteria given");
  if (machines === undefined || machines.machines.length === 0) throw fail("No running machines");
  const [found, another] = machines.find(wanted);
  if (another !== undefined) throw fail("Found multiple machines matching criteria");
  if (found === undefined) throw fail("Could not find a matching machine");
  return encodeMachineState(found);
}

function machineTransition({ machines }: ServerNode, data: JsonObject): JsonObject {
  const transition = requiredText(data, "transition", { maxLength: 128, pattern: /^[a-zA-Z][a-zA-Z0-9_-]+$/ });
  const wanted = { ...criteriaOf(data), version: optionalText(data, "version", versionRules) };
  try {
    if (machines === undefined) throw new Error("autonomous agent host not initialized");
    machines.transition(wanted, transition);
    return { success: true };
  } catch (error) {
    throw new ActionError(`Could not perform ${transition} transition: ${errorText(error)}`, {
      data: { success: false },
    });
  }
}

const versionRules = { maxLength: 20, pattern: /^\d+\.\d+\.\d+$/ };

function criteriaOf(data: JsonObject): { name: string; id: string; path: string } {
  return {
    name: optionalText(data, "name", criteria.name),
    id: optionalText(data, "instance", criteria.instance),
    path: optionalText(data, "path", criteria.path),
  };
}
