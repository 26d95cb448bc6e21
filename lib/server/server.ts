import { type Config, hostIdentity } from "../config/mod.ts";
import { type Connection, connectBroker, type TlsOptions } from "../connector/mod.ts";
import { CompiledFilters, matchFilter } from "../filter/mod.ts";
import type { MachineHost } from "../machine/mod.ts";
import {
  type Agent,
  AgentHost,
  type CallAuditor,
  fileAuditor,
  type HostStats,
  type RpcAgentOptions,
} from "../rpc/mod.ts";
import { ReplayGuard } from "../security/mod.ts";
import { type Clock, errorText, type Logger, systemClock, version } from "../std/mod.ts";
import { choriaUtilAgent } from "./agents/choria_util.ts";
import { discoveryAgent } from "./agents/discovery.ts";
import { rpcutilAgent } from "./agents/rpcutil.ts";
import { Announcer } from "./announcer.ts";
import { allowAll, configuredAuthorizer } from "./authorizers.ts";
import { type DataPlugin, dataPlugins } from "./data_plugins.ts";
import { startExternalAgents } from "./external_agents.ts";
import { Link } from "./link.ts";
import { startMachines } from "./machines.ts";
import { nodeSources, type ServerNode } from "./node.ts";
import { optionalAgents } from "./optional_agents.ts";
import { provisioningProfile, type ServerProfile, servingProfile } from "./profile.ts";
import type { ProvisioningSettings } from "./provisioning/mod.ts";
import { type Services, startServices } from "./services.ts";

/** What agents that are added to a server get to work with. */
export interface AgentKit {
  node: ServerNode;
  /** What stands before the actions of every agent of this server. */
  rpc: RpcAgentOptions;
  announcer: Announcer;
}

/** How {@link startServer} starts a server. */
export interface ServerOptions {
  config: Config;
  logger: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** Ends the attempts for a first connection. */
  signal?: AbortSignal;
  /** Run as a node that is being provisioned, with what its token says. */
  provisioning?: ProvisioningSettings;
  /**
   * Host service agents only.
   * @default false
   */
  serviceHost?: boolean;
  /** Makes agents beside those that every server has. */
  agents?: (kit: AgentKit) => readonly Agent[];
  /** TLS settings in place of the configuration's; `false` connects in the clear. */
  tls?: TlsOptions | false;
}

/** A running server. */
export interface ServerHandle extends AsyncDisposable {
  readonly identity: string;
  readonly node: ServerNode;
  readonly host: AgentHost;
  readonly connection: Connection;
  readonly stats: Readonly<HostStats>;
  /** Port of the statistics listener, where there is one. */
  readonly statsPort: number | undefined;
  /** Resolves when the connection is closed for good, whoever closed it. */
  readonly closed: Promise<Error | undefined>;
  /**
   * Let running calls finish, say so to the network and leave it, within `soft_shutdown_timeout`. Idempotent.
   *
   * @param options.quiet Do not say so.
   */
  stop(options?: { quiet?: boolean }): Promise<void>;
}

/**
 * Start a server: connect, host the agents, announce it.
 *
 * @throws {Error} when the configuration or the credentials cannot be used, or `signal` aborts before there is a
 * connection. A broker that cannot be reached is waited for.
 */
export async function startServer(options: ServerOptions): Promise<ServerHandle> {
  const { config, clock = systemClock, serviceHost = false } = options;
  const identity = config.get("identity") || (await hostIdentity());
  const logger = options.logger.child({ component: "server", identity });
  const profile =
    options.provisioning === undefined
      ? servingProfile(config, identity, { clock, logger, serviceHost })
      : provisioningProfile(config, options.provisioning, clock, logger);
  return run(options, { identity, clock, logger, profile });
}

async function run(options: ServerOptions, basics: Basics): Promise<ServerHandle> {
  const { config } = options;
  const { clock, logger, profile } = basics;
  logger.info(`Choria Server version ${version} starting with config ${config.file} using protocol version 2`);
  const link = new Link();
  const autonomous: { host?: MachineHost | undefined } = {};
  const connection = await connect(options, basics, link);
  try {
    const sources = nodeSources(config, logger);
    const host = createHost(options, basics, { connection, sources, data: () => dataPlugins(node) });
    const node: ServerNode = createNode(options, basics, { connection, sources, host, link, autonomous });
    const format = config.get("plugin.choria.legacy_lifecycle_format") ? "plain" : "cloudevent";
    const { identity } = basics;
    const { component } = profile;
    const announcer = new Announcer({ connection, identity, component, format, stats: host.stats, clock, logger });
    const rpc = rpcOptions(options, node, logger);
    hostAgents(host, createAgents(options, { node, announcer, rpc }), logger);
    hostAgents(host, await optionalAgents(node, rpc), logger);
    const services = await startServices(node, { announcer, profile, link, logger });
    // Whoever hears of the start may call at once, so the broker has to know the subscriptions by then.
    await connection.flush().catch(() => undefined);
    announcer.publish("startup");
    const external = await startExternalAgents(node, { host, rpc, logger });
    autonomous.host = await startMachines(node, logger, () => external?.look());
    return new RunningServer(basics, { node, host, announcer, services, external });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function connect(options: ServerOptions, basics: Basics, link: Link): Promise<Connection> {
  const { config, signal } = options;
  const { identity, clock, logger, profile } = basics;
  return connectBroker({
    servers: await profile.brokers(signal),
    name: identity,
    login: profile.login,
    inboxPrefix: profile.inboxPrefix,
    logger,
    tls: options.tls ?? profile.tls,
    clock,
    timeout: config.get("plugin.choria.network.connect_timeout"),
    ...(signal === undefined ? {} : { signal }),
    onState: (state) => link.turn(state),
  });
}

type Sources = ReturnType<typeof nodeSources>;

function createHost(
  options: ServerOptions,
  { identity, clock, logger, profile }: Basics,
  parts: { connection: Connection; sources: Sources; data: () => ReadonlyMap<string, DataPlugin> },
): AgentHost {
  const { config, serviceHost = false } = options;
  const { connection, sources, data } = parts;
  const { verifier, credentials } = profile;
  const now = () => clock.now();
  const compiled = new CompiledFilters();
  return new AgentHost({
    connection,
    identity,
    collectives: config.collectives,
    ...(verifier === undefined ? {} : { verifier }),
    ...(credentials === undefined ? {} : { credentials }),
    matches: (filter, agents) => matchFilter(filter, { identity, agents, ...sources, data: data(), now, compiled }),
    replay: new ReplayGuard(),
    serviceOnly: serviceHost,
    clock,
    logger,
  });
}

function createNode(
  { config }: ServerOptions,
  { identity, clock, profile }: Basics,
  parts: {
    connection: Connection;
    sources: Sources;
    host: AgentHost;
    link: Link;
    autonomous: { host?: MachineHost | undefined };
  },
): ServerNode {
  const { connection, sources, host, link, autonomous } = parts;
  return {
    config,
    identity,
    collectives: config.collectives,
    mainCollective: config.mainCollective,
    isProvisioning: profile.isProvisioning,
    clock,
    startedAt: clock.now(),
    ...sources,
    agents: () => host.agents(),
    stats: host.stats,
    connection,
    get machines() {
      return autonomous.host;
    },
    get reconnects() {
      return link.restored;
    },
  };
}

function rpcOptions({ config, provisioning }: ServerOptions, node: ServerNode, logger: Logger): RpcAgentOptions {
  const authorizer = provisioning === undefined ? configuredAuthorizer(config, node, logger) : allowAll;
  const auditor = config.get("rpcaudit") ? configuredAuditor(config, node.clock, logger) : undefined;
  return { authorizer, logger, ...(auditor === undefined ? {} : { auditor }) };
}

function configuredAuditor(config: Config, clock: Clock, logger: Logger): CallAuditor | undefined {
  const file = config.get("plugin.rpcaudit.logfile");
  if (file === "") {
    logger.warn("Calls are not audited: rpcaudit is set, but plugin.rpcaudit.logfile is not");
    return undefined;
  }
  const [mode, group] = [config.get("plugin.rpcaudit.logfile.mode"), config.get("plugin.rpcaudit.logfile.group")];
  return fileAuditor({ file, mode, group, clock, logger });
}

function createAgents(options: ServerOptions, kit: AgentKit): Agent[] {
  const { node, rpc } = kit;
  const own = options.serviceHost ? [] : [discoveryAgent(), rpcutilAgent(node, rpc), choriaUtilAgent(node, rpc)];
  return [...own, ...(options.agents?.(kit) ?? [])];
}

function hostAgents(host: AgentHost, agents: readonly Agent[], logger: Logger): void {
  for (const agent of agents) {
    try {
      host.add(agent);
    } catch (error) {
      logger.error("An agent is not hosted", { agent: agent.metadata.name, reason: errorText(error) });
    }
  }
}

interface Basics {
  identity: string;
  clock: Clock;
  logger: Logger;
  profile: ServerProfile;
}

/** What a running server is made of. */
interface Parts {
  node: ServerNode;
  host: AgentHost;
  announcer: Announcer;
  services: Services;
  external: { stop(): Promise<void> } | undefined;
}

class RunningServer implements ServerHandle {
  readonly identity: string;
  readonly node: ServerNode;
  readonly host: AgentHost;
  readonly connection: Connection;
  readonly #announcer: Announcer;
  readonly #services: Services;
  readonly #external: Parts["external"];
  readonly #basics: Basics;
  #stopping: Promise<void> | undefined;

  constructor(basics: Basics, parts: Parts) {
    this.identity = basics.identity;
    this.node = parts.node;
    this.host = parts.host;
    this.connection = parts.node.connection;
    this.#announcer = parts.announcer;
    this.#services = parts.services;
    this.#external = parts.external;
    this.#basics = basics;
  }

  get stats(): Readonly<HostStats> {
    return this.host.stats;
  }

  get statsPort(): number | undefined {
    return this.#services.statsPort;
  }

  get closed(): Promise<Error | undefined> {
    return this.connection.closed;
  }

  stop(options: { quiet?: boolean } = {}): Promise<void> {
    this.#stopping ??= this.#stopInTime(options.quiet ?? false);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stopInTime(quiet: boolean): Promise<void> {
    const { clock, logger } = this.#basics;
    const limit = Math.max(1, this.node.config.get("soft_shutdown_timeout")) * 1_000;
    const waiting = new AbortController();
    const late = clock.sleep(limit, waiting.signal).then(() => {
      if (!waiting.signal.aborted) logger.error("The server did not stop in time", { milliseconds: limit });
    });
    await Promise.race([this.#leave(quiet, limit), late]);
    waiting.abort();
  }

  async #leave(quiet: boolean, limit: number): Promise<void> {
    await this.node.machines?.stop();
    await this.#services.stop();
    await this.#external?.stop();
    await this.host.stop(limit / 2);
    if (!quiet) this.#announcer.publish("shutdown");
    await this.connection.close();
  }
}
