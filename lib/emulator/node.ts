import { type Config, configFrom, parseConf } from "../config/mod.ts";
import { type Connection, connectBroker } from "../connector/mod.ts";
import { type KeyPair, keyFromSeed } from "../crypto/mod.ts";
import { type CompiledFilters, matchFilter } from "../filter/mod.ts";
import { subjects } from "../protocol/mod.ts";
import { AgentHost, type RpcAgentOptions } from "../rpc/mod.ts";
import { RequestVerifier } from "../security/mod.ts";
import {
  Announcer,
  allowAll,
  choriaUtilAgent,
  configuredAuthorizer,
  discoveryAgent,
  memoryFiles,
  type NodeFiles,
  type ProvisioningSettings,
  provisionAgent,
  provisioningConfig,
  rpcutilAgent,
  type ServerNode,
} from "../server/mod.ts";
import { type Clock, type JsonObject, type Logger, version } from "../std/mod.ts";
import type { TokenVerifier } from "../tokens/mod.ts";
import type { Connections, Lease } from "./connections.ts";
import type { Pacer } from "./pacer.ts";

/** What an emulated node can be. */
export type NodeState = "stopped" | "connecting" | "unprovisioned" | "provisioned";

/** What every emulated node works with. */
export interface NodeEnvironment {
  /** What the provisioning token says; absent where nodes come with credentials of their own. */
  settings?: ProvisioningSettings;
  /** Connections of nodes that are to be provisioned. */
  unprovisioned?: Connections;
  /** Tokens of callers are the same for all nodes, so they are verified once for all. */
  tokens: TokenVerifier;
  /** So are their filters, as all nodes are alike. */
  filters: CompiledFilters;
  pacer: Pacer;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
  /** Told of each change of a node's state. */
  onState: (node: EmulatedNode, from: NodeState) => void;
}

/** What a node has while it runs. */
interface Running {
  host: AgentHost;
  announcer: Announcer;
  release: () => Promise<void>;
}

const provisionKey = "plugin.choria.server.provision";

/**
 * A node without a machine: real agents on a real connection, its key, token and configuration in memory. Provisioned,
 * it comes back with what it was given, and signs its replies.
 */
export class EmulatedNode {
  readonly identity: string;
  state: NodeState = "stopped";
  readonly #environment: NodeEnvironment;
  readonly #files: NodeFiles;
  readonly #folder: string;
  readonly #facts: JsonObject;
  #running: Running | undefined;

  /** @param files What the node has from the beginning, by name within its folder. */
  constructor(
    identity: string,
    environment: NodeEnvironment,
    options: { files?: Readonly<Record<string, string>>; facts?: JsonObject } = {},
  ) {
    this.identity = identity;
    this.#environment = environment;
    this.#folder = `/emulated/${identity}`;
    const { settings } = environment;
    const own = Object.entries(options.files ?? {}).map(([name, text]) => [`${this.#folder}/${name}`, text]);
    this.#files = memoryFiles({
      ...Object.fromEntries(own),
      ...(settings && { [settings.tokenFile]: settings.token }),
    });
    this.#facts = options.facts ?? { identity };
  }

  /** The configuration file as it was written last; undefined before. */
  get configuration(): string | undefined {
    const path = `${this.#folder}/server.conf`;
    return this.#files.has(path) ? this.#files.read(path) : undefined;
  }

  /** The node's own token; undefined before it was given one. */
  get token(): string | undefined {
    const path = `${this.#folder}/server.jwt`;
    return this.#files.has(path) ? this.#files.read(path) : undefined;
  }

  /** Lose key, token and configuration, as a node does whose disk is wiped. Stop it first. */
  forget(): void {
    for (const name of ["server.conf", "server.jwt", "server.seed"]) this.#files.remove(`${this.#folder}/${name}`);
  }

  /**
   * Join the network as what the files make of it.
   * @throws {Error} when it has neither credentials nor a provisioning token, or the emulator stops.
   */
  async start(): Promise<void> {
    this.#turn("connecting");
    const config = this.#ownConfig();
    if (config !== undefined) await this.#serve(config);
    else await this.#waitForProvisioner();
  }

  /** Leave the network. */
  async stop(options: { quiet?: boolean } = {}): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#turn("stopped");
    if (running === undefined) return;
    await running.host.stop();
    if (!options.quiet) running.announcer.publish("shutdown");
    await running.release();
  }

  #turn(state: NodeState): void {
    const from = this.state;
    this.state = state;
    this.#environment.onState(this, from);
  }

  #ownConfig(): Config | undefined {
    const text = this.configuration;
    if (text === undefined) return undefined;
    const entries = parseConf(text).map(({ key, value }) => [key, value]);
    const config = configFrom(Object.fromEntries(entries), `${this.#folder}/server.conf`);
    const paths = [config.get("plugin.security.choria.token_file"), config.get("plugin.security.choria.seed_file")];
    return config.get(provisionKey) || !paths.every((path) => this.#files.has(path)) ? undefined : config;
  }

  async #serve(config: Config): Promise<void> {
    const { pacer, clock, logger, signal } = this.#environment;
    const token = this.#files.read(config.get("plugin.security.choria.token_file"));
    const key = keyFromSeed(this.#files.read(config.get("plugin.security.choria.seed_file")));
    await pacer.turn(signal);
    const connection = await connectBroker({
      servers: config.get("plugin.choria.middleware_hosts").map((host) => host.replace(/^nats:\/\//, "")),
      name: this.identity,
      login: () => ({ token, key }),
      inboxPrefix: subjects.inbox(config.mainCollective, this.identity),
      clock,
      logger,
      signal,
      timeout: 30_000,
    });
    await this.#join(config, connection, () => connection.close(), { token, key });
  }

  async #waitForProvisioner(): Promise<void> {
    const { settings, unprovisioned } = this.#environment;
    if (settings === undefined || unprovisioned === undefined) {
      throw new Error(`The emulated node ${this.identity} has neither credentials nor a provisioning token`);
    }
    const configFile = `${this.#folder}/server.conf`;
    const config = provisioningConfig(settings, { configFile, identity: this.identity });
    const { token, user, password } = settings;
    const login = { token, ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
    const lease: Lease = await unprovisioned.lease(this.identity, () => login);
    await this.#join(config, lease.connection, () => lease.release());
  }

  async #join(
    config: Config,
    connection: Connection,
    release: () => Promise<void>,
    credentials?: { token: string; key: KeyPair },
  ): Promise<void> {
    const { clock, logger, tokens, filters: compiled } = this.#environment;
    const { identity } = this;
    const facts = async () => this.#facts;
    const host = new AgentHost({
      connection,
      identity,
      collectives: config.collectives,
      ...(credentials && {
        verifier: new RequestVerifier({ issuers: config.issuers() }, tokens),
        credentials: () => credentials,
      }),
      matches: (filter, agents) => matchFilter(filter, { identity, agents, facts, classes: () => [], compiled }),
      clock,
      logger,
    });
    const isProvisioning = credentials === undefined;
    const component = isProvisioning ? "provision_mode_server" : "server";
    const { stats } = host;
    const announcer = new Announcer({ connection, identity, component, format: "cloudevent", stats, clock, logger });
    this.#addAgents(host, announcer, this.#describe(config, connection, host, isProvisioning));
    this.#running = { host, announcer, release };
    await connection.flush();
    announcer.publish("startup");
    this.#turn(isProvisioning ? "unprovisioned" : "provisioned");
  }

  #describe(config: Config, connection: Connection, host: AgentHost, isProvisioning: boolean): ServerNode {
    const { clock } = this.#environment;
    return {
      config,
      identity: this.identity,
      collectives: config.collectives,
      mainCollective: config.mainCollective,
      isProvisioning,
      clock,
      startedAt: clock.now(),
      facts: async () => this.#facts,
      classes: () => [],
      agents: () => host.agents(),
      stats: host.stats,
      connection,
      reconnects: 0,
    };
  }

  #addAgents(host: AgentHost, announcer: Announcer, node: ServerNode): void {
    const { clock, logger, settings } = this.#environment;
    const { config, isProvisioning } = node;
    const authorizer = isProvisioning ? allowAll : configuredAuthorizer(config, node, logger);
    const rpc: RpcAgentOptions = { authorizer, logger };
    for (const agent of [discoveryAgent(), rpcutilAgent(node, rpc), choriaUtilAgent(node, rpc)]) host.add(agent);
    if (settings === undefined) return;
    const { tokenFile, secret } = settings;
    host.add(
      provisionAgent({
        ...rpc,
        configFile: `${this.#folder}/server.conf`,
        tokenFile,
        secret,
        isProvisioning,
        config,
        control: {
          publishEvent: (type) => announcer.publish(type),
          restart: () => void this.#restart(),
          shutdown: () => void this.stop(),
        },
        files: this.#files,
        clock,
        version,
      }),
    );
  }

  async #restart(): Promise<void> {
    const { logger, signal } = this.#environment;
    try {
      await this.stop({ quiet: true });
      if (!signal.aborted) await this.start();
    } catch (error) {
      this.#turn("stopped");
      if (!signal.aborted) logger.error("An emulated node did not come back", { identity: this.identity, error });
    }
  }
}
