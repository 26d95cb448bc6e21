import { hostname } from "node:os";
import { type Config, hostIdentity } from "../config/mod.ts";
import { type Connection, type TlsOptions, tlsOptions } from "../connector/mod.ts";
import { type AgentDdl, builtinResolver, type DdlResolver, folderResolver, resolveDdl } from "../ddl/mod.ts";
import { type Filter, isEmptyFilter, subjects } from "../protocol/mod.ts";
import {
  type Credentials,
  credentialFiles,
  httpSigner,
  type RemoteSigner,
  ReplyVerifier,
  readCredentials,
} from "../security/mod.ts";
import { type Clock, type JsonObject, type Logger, silentLogger, systemClock } from "../std/mod.ts";
import { TokenVerifier } from "../tokens/mod.ts";
import { connectClient } from "./connect.ts";
import { Courier } from "./courier.ts";
import {
  chooseSource,
  collectiveOf,
  courierBroadcaster,
  type DiscoverOptions,
  type Discovery,
  discoveryQuery,
} from "./discover.ts";
import { filterOf } from "./filter_options.ts";
import { type PingOptions, type PingReply, pingNodes } from "./ping.ts";
import { Registry, registryAgent } from "./registry.ts";
import { FleetRequest } from "./request.ts";
import type { RequestOptions } from "./request_options.ts";
import { serviceSigner } from "./service_signer.ts";
import type { Rejection } from "./stats.ts";
import { type TypedAgent, typedAgent } from "./typed_agent.ts";

/** How {@link connectFleet} connects. */
export interface FleetOptions {
  /** @default silent */
  logger?: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** Ends the attempts to connect, and every request. */
  signal?: AbortSignal;
  /** TLS settings; by default the configuration's. `false` connects in the clear. */
  tls?: TlsOptions | false;
  /** User and password to show the broker beside the token, for its system account; by default the configuration's. */
  login?: { user: string; password: string };
  /**
   * Give up after this many attempts to connect.
   * @default 5
   */
  attempts?: number;
  /** Where DDLs are sought before the built-in ones and the configuration's folders. */
  resolvers?: readonly DdlResolver[];
  /**
   * Take replies whose signature or token does not verify.
   * @default the configuration's `plugin.choria.security.accept_unverified_replies`
   */
  acceptUnverified?: boolean;
}

/** Timeout of the signing service itself, in seconds. */
const signerTimeout = 10;
/** A program that calls its fleet again and again checks each server's token once. */
const rememberedServers = 16_384;

/**
 * Connect to the network as the client that a configuration describes.
 *
 * @throws {Error} when token or key cannot be used, no broker can be reached, or it refuses the login.
 */
export async function connectFleet(config: Config, options: FleetOptions = {}): Promise<Fleet> {
  const { clock = systemClock, logger = silentLogger, signal, attempts = 5 } = options;
  const files = credentialFiles(config);
  const credentials = () => readCredentials(files, clock.now());
  const { holder: caller } = credentials();
  const ending = new AbortController();
  const both = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  const tls = options.tls === undefined ? {} : { tls: options.tls };
  const login = options.login === undefined ? {} : { login: options.login };
  const sender = senderOf(config, clock);
  const connection = await connectClient(config, {
    files,
    caller,
    attempts,
    clock,
    logger,
    signal: both,
    ...tls,
    ...login,
  });
  const acceptUnverified = options.acceptUnverified ?? config.get("plugin.choria.security.accept_unverified_replies");
  const trust = { issuers: config.issuers() };
  return new Fleet({
    config,
    connection,
    caller,
    credentials,
    sender: await sender,
    verifier: new ReplyVerifier(trust, new TokenVerifier(clock, rememberedServers), { acceptUnverified }),
    resolvers: [...(options.resolvers ?? []), ...resolversOf(config)],
    clock,
    logger,
    ending,
    signal: both,
  });
}

interface FleetParts {
  config: Config;
  connection: Connection;
  caller: string;
  credentials: () => Credentials;
  sender: string;
  verifier: ReplyVerifier;
  resolvers: readonly DdlResolver[];
  clock: Clock;
  logger: Logger;
  ending: AbortController;
  signal: AbortSignal;
}

/** A connected client: finds nodes, pings them and calls actions of their agents, all over one connection. */
export class Fleet implements AsyncDisposable {
  /** Who calls: the token's caller id. */
  readonly caller: string;
  /** The connection, for what goes beyond requests. */
  readonly connection: Connection;
  /** The network's registry of DDLs, where the configuration has a cache for it. */
  readonly registry: Registry | undefined;
  readonly #parts: FleetParts;
  readonly #courier: Courier;
  readonly #signer: RemoteSigner | undefined;
  readonly #resolvers: readonly DdlResolver[];

  /** Fleets come from {@link connectFleet}. */
  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.caller = parts.caller;
    this.connection = parts.connection;
    this.#courier = new Courier({ ...parts, ttl: parts.config.get("ttl") });
    this.#signer = this.#signerOf(parts.config);
    this.registry = this.#registryOf(parts.config);
    this.#resolvers = this.registry === undefined ? parts.resolvers : [...parts.resolvers, this.registry];
  }

  /**
   * The DDL of an agent.
   * @throws {DdlError} when it is found nowhere.
   */
  ddl(agent: string): Promise<AgentDdl> {
    return resolveDdl(agent, this.#resolvers);
  }

  /**
   * Find nodes, each once, handing out each as it answers.
   *
   * @throws {Error} when the method cannot be used, the broker refuses the question, or a signal aborts.
   */
  discover(options: DiscoverOptions = {}): AsyncIterable<string> {
    return this.#discover(options, filterOf(options.filter ?? {})).nodes;
  }

  /** Like {@link discover}, with the name of the method by which nodes are found. */
  discovery(options: DiscoverOptions = {}): Discovery {
    return this.#discover(options, filterOf(options.filter ?? {}));
  }

  /** Ask every node that a filter matches for a sign of life; ends as {@link PingOptions} say. */
  async *ping(options: PingOptions = {}): AsyncGenerator<PingReply> {
    const { config, clock } = this.#parts;
    const filter = filterOf(options.filter ?? {});
    this.#demandFilter(filter);
    const query = {
      collective: collectiveOf(options.collective, config),
      filter,
      timeout: options.timeout ?? config.get("discovery_timeout") * 1_000,
    };
    const signal = this.#signalOf(options.signal);
    yield* unlessAborted(pingNodes(this.#broadcaster(options.onRejected), clock, query, options, signal), signal);
  }

  /**
   * Call an action of an agent. Nothing happens until somebody reads the replies.
   *
   * @param data Inputs of the action; those left out take their defaults.
   */
  request(agent: string, action: string, data: JsonObject = {}, options: RequestOptions = {}): FleetRequest {
    const { config, clock, signal } = this.#parts;
    const context = {
      courier: this.#courier,
      signer: this.#signer,
      clock,
      signal,
      networkTimeout: config.get("discovery_timeout") * 1_000,
      collective: (wanted: string | undefined) => collectiveOf(wanted, config),
      ddl: (name: string) => this.ddl(name),
      discover: (wanted: DiscoverOptions, filter: Filter) => this.#discover(wanted, filter),
    };
    return new FleetRequest(context, agent, action, data, options);
  }

  /**
   * An agent by its DDL, with a method for each of its actions:
   *
   * ```ts
   * const { get_fact } = fleet.agent(rpcutil);
   * for await (const reply of get_fact({ fact: "os.family" })) if (reply.ok) console.log(reply.data.value);
   * ```
   *
   * @param ddl Written down as a constant, or by {@link defineDdl}, so that inputs and outputs are known by type.
   */
  agent<const D extends AgentDdl>(ddl: D): TypedAgent<D> {
    return typedAgent(this, ddl);
  }

  /** End every request and close the connection. Idempotent. */
  async close(): Promise<void> {
    this.#parts.ending.abort(new Error("The connection to the network was closed"));
    await this.connection.close();
  }

  /** {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #discover(options: DiscoverOptions, filter: Filter): Discovery {
    const { config, clock } = this.#parts;
    this.#demandFilter(filter);
    const source = chooseSource(options, filter, config, this.#broadcaster(options.onRejected), clock);
    const query = discoveryQuery(options, filter, config);
    const signal = this.#signalOf(options.signal);
    return { method: source.name, nodes: unlessAborted(source.discover(query, signal), signal) };
  }

  #demandFilter(filter: Filter): void {
    if (!this.#parts.config.get("plugin.choria.require_client_filter") || !isEmptyFilter(filter)) return;
    throw new Error("cannot create a Request Transport, requests without filters have been disabled");
  }

  #broadcaster(onRejected?: (rejection: Rejection) => void) {
    return courierBroadcaster(this.#courier, this.#signer, subjects.broadcast, onRejected);
  }

  #signalOf(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#parts.signal : AbortSignal.any([signal, this.#parts.signal]);
  }

  #registryOf(config: Config): Registry | undefined {
    const cache = config.get("plugin.choria.services.registry.cache");
    if (cache === "") return undefined;
    const call = async (action: string, data: JsonObject) =>
      (await this.request(registryAgent, action, data).all()).at(0);
    return new Registry({ cache, call, logger: this.#parts.logger });
  }

  #signerOf(config: Config): RemoteSigner | undefined {
    if (config.get("plugin.choria.security.request_signer.service")) {
      const timeout = (config.get("discovery_timeout") + signerTimeout) * 1_000;
      const { clock } = this.#parts;
      return serviceSigner({ courier: this.#courier, collective: config.mainCollective, clock, timeout });
    }
    const url = config.get("plugin.choria.security.request_signer.url");
    return url === "" ? undefined : httpSigner({ url, ...tlsOptions(config) });
  }
}

/** Whatever is called off ends by the signal's reason, not by what broke off through it. */
async function* unlessAborted<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  signal.throwIfAborted();
}

/** The name of this process in requests: only for people, so a slow DNS does not hold anybody up. */
async function senderOf(config: Config, clock: Clock): Promise<string> {
  const configured = config.get("identity");
  if (configured !== "") return configured;
  const late = new AbortController();
  const bare = clock.sleep(500, late.signal).then(() => hostname());
  const found = await Promise.race([hostIdentity(), bare]);
  late.abort();
  return found;
}

function resolversOf(config: Config): DdlResolver[] {
  const folders = [...config.get("libdir"), ...config.get("plugin.choria.agent_provider.mcorpc.libdir")];
  return folders.length === 0 ? [builtinResolver] : [builtinResolver, folderResolver(folders)];
}
