import type { Config } from "../config/mod.ts";
import { brokersOf, type Connection, connectBroker, fileLogin, tlsOptions } from "../connector/mod.ts";
import { decodeEvent, eventSubject, newEvent, publishEvent } from "../lifecycle/mod.ts";
import { subjects } from "../protocol/mod.ts";
import {
  type CredentialFiles,
  type Credentials,
  credentialFiles,
  ReplyVerifier,
  readCredentials,
} from "../security/mod.ts";
import { type Clock, errorText, type Logger, Semaphore, serveMetrics, systemClock } from "../std/mod.ts";
import { type Election, startElection } from "../streams/mod.ts";
import { readVerifyKey, TokenVerifier } from "../tokens/mod.ts";
import type { ProvisionerConfig } from "./config.ts";
import { Fleet } from "./fleet.ts";
import type { Helper } from "./helper.ts";
import { moduleHelper } from "./helper_module.ts";
import { processHelper } from "./helper_process.ts";
import { ProvisionerMetrics } from "./metrics.ts";
import { NodeCaller } from "./node_caller.ts";
import { NodeCalls } from "./node_calls.ts";
import { type ProvisioningTools, provisionNode } from "./node_provisioning.ts";
import type { NodeTurn } from "./node_turn.ts";
import { readIssuer } from "./server_token.ts";

/** How {@link startProvisioner} starts. */
export interface ProvisionerOptions {
  config: ProvisionerConfig;
  /** The Choria configuration: brokers, identity, token and seed. */
  choria: Config;
  /** Version said in the start-up event. */
  version: string;
  logger: Logger;
  /** Ends the attempts for a first connection. */
  signal?: AbortSignal;
  /** @default systemClock */
  clock?: Clock;
  /**
   * Milliseconds between discoveries while few nodes wait, by which nodes are found whose start-up event was missed.
   * @default 5_000
   */
  sweepInterval?: number;
}

/** A provisioner that runs. */
export interface Provisioner extends AsyncDisposable {
  readonly metrics: ProvisionerMetrics;
  /** Port of the metrics; 0 where they are not served. */
  readonly monitorPort: number;
  /** Whether it waits for its election. */
  readonly isPaused: boolean;
  /** Take up no more nodes and forget those that wait; those being worked on are finished. */
  pause(): void;
  /** Go on, beginning with a discovery. */
  resume(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

const component = "provisioner";
const collective = "provisioning";
/** Nodes in flight for each worker: nearly all of a node's time is spent waiting for its answers. */
const placesPerWorker = 16;
const leastPlaces = 64;
/** While so many nodes wait, looking for more of them only costs. */
const enoughQueued = 200;
/** Token and seed are read anew after this many milliseconds. */
const credentialsAge = 5_000;

/**
 * Connect to the broker and provision every node that asks for it.
 *
 * @throws {Error} when the helper, the token or the verification key cannot be used, or `signal` aborts.
 */
export async function startProvisioner(options: ProvisionerOptions): Promise<Provisioner> {
  const { config, choria, logger, clock = systemClock, signal } = options;
  const files = credentialFiles(choria);
  const { holder } = readCredentials(files, clock.now());
  const helper = await openHelper(config, clock);
  if (config.features.jwt) readVerifyKey(config.verifyKey);
  if (config.features.ed25519) readIssuer(config);
  const metrics = new ProvisionerMetrics(config.site);
  const connection = await connectBroker({
    servers: await brokersOf(choria),
    name: holder,
    login: fileLogin(files, clock, config.brokerPassword === "" ? {} : brokerUser(config)),
    inboxPrefix: subjects.inbox(collective, holder),
    tls: config.insecure ? false : tlsOptions(choria),
    logger,
    clock,
    ...(signal === undefined ? {} : { signal }),
  });
  const identity = choria.get("identity") || holder;
  const credentials = cached(files, clock);
  return new RunningProvisioner({ ...options, clock, connection, credentials, helper, identity, holder, metrics });
}

interface Parts extends ProvisionerOptions {
  clock: Clock;
  connection: Connection;
  credentials: () => Credentials;
  helper: Helper;
  identity: string;
  holder: string;
  metrics: ProvisionerMetrics;
}

class RunningProvisioner implements Provisioner {
  readonly metrics: ProvisionerMetrics;
  readonly monitorPort: number;
  isPaused = false;
  readonly #parts: Parts;
  readonly #caller: NodeCaller;
  readonly #fleet: Fleet;
  readonly #tools: ProvisioningTools;
  readonly #timers = new DisposableStack();
  readonly #election: Election | undefined;
  #lastDiscovery = Number.NEGATIVE_INFINITY;
  #stopped: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { config, clock, metrics, logger, connection, identity, holder, credentials, helper } = parts;
    this.#parts = parts;
    this.metrics = metrics;
    const verifier = new ReplyVerifier({ issuers: new Map() }, new TokenVerifier(clock), { acceptUnverified: true });
    const callerOptions = { connection, callerId: holder, identity, credentials, verifier, clock, logger };
    this.#caller = this.#timers.use(new NodeCaller(callerOptions));
    this.#tools = {
      config,
      helper,
      helperPlaces: new Semaphore(config.workers),
      metrics,
      verifyKey: () => readVerifyKey(config.verifyKey),
      issuer: () => readIssuer(config),
      clock,
      logger,
    };
    this.#fleet = new Fleet({
      provision: (node, turn) => this.#provision(node, turn),
      places: Math.max(leastPlaces, config.workers * placesPerWorker),
      longestWait: config.interval,
      metrics,
      clock,
      logger,
    });
    metrics.set("paused", 0);
    this.monitorPort = this.#serveMetrics();
    this.#announce();
    this.#election = config.leaderElection ? this.#standForElection() : undefined;
    this.#listen();
    if (this.#election === undefined) this.#discover();
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.metrics.set("paused", 1);
    this.#fleet.clear();
  }

  resume(): void {
    this.isPaused = false;
    this.metrics.set("paused", 0);
    this.#discover();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.isPaused = true;
    this.#fleet.stop();
    this.#timers.dispose();
    await this.#election?.stop();
    await this.#parts.connection.close();
  }

  #provision(node: string, turn: NodeTurn) {
    const { clock, metrics } = this.#parts;
    const { rest, signal } = turn;
    const calls = new NodeCalls({ node, caller: this.#caller, metrics, clock, rest, signal });
    return provisionNode(node, calls, this.#tools, turn);
  }

  #announce(): void {
    const { connection, identity, version, clock } = this.#parts;
    publishEvent(connection, newEvent({ type: "startup", identity, component, version }, clock.now()), "plain");
  }

  #standForElection(): Election {
    const { connection, identity, clock, logger } = this.#parts;
    this.pause();
    return startElection({
      connection,
      name: component,
      identity,
      prefix: "choria.streams.",
      onWon: () => this.resume(),
      onLost: () => this.pause(),
      clock,
      logger,
    });
  }

  #listen(): void {
    const { connection, config, clock, sweepInterval = 5_000 } = this.#parts;
    const subject = eventSubject("startup", config.lifecycleComponent);
    const subscription = connection.subscribe(subject, (message) => this.#takeEvent(message.data));
    this.#timers.defer(() => subscription.unsubscribe());
    this.#timers.use(clock.every(Math.min(sweepInterval, config.interval), () => this.#sweep()));
  }

  #takeEvent(data: Uint8Array): void {
    const { logger, metrics } = this.#parts;
    try {
      const event = decodeEvent(data);
      if (event.type !== "startup") throw new Error(`expected a startup event, found ${event.type}`);
      if (this.isPaused) logger.debug("Skipping event processing while paused", { identity: event.identity });
      else if (this.#fleet.add(event.identity, "event")) metrics.count("event_discovered");
    } catch (error) {
      logger.error(`could not handle message: ${errorText(error)}`);
    }
  }

  #sweep(): void {
    const { config, clock } = this.#parts;
    this.#fleet.prune();
    const isDue = clock.now() - this.#lastDiscovery >= config.interval;
    if (isDue || this.#fleet.queued < enoughQueued) this.#discover();
  }

  #discover(): void {
    const { clock, logger, metrics } = this.#parts;
    if (this.isPaused) {
      logger.debug("Skipping discovery while paused");
      return;
    }
    this.#lastDiscovery = clock.now();
    metrics.count("discover_cycles");
    const onNode = (node: string) => {
      if (!this.isPaused && this.#fleet.add(node, "discovery")) metrics.count("discovered");
    };
    this.#caller.discover(onNode).catch((error) => {
      metrics.count("discovery_errors");
      logger.error("Nodes could not be discovered", { reason: errorText(error) });
    });
  }

  #serveMetrics(): number {
    const { config } = this.#parts;
    if (config.monitorPort === 0) return 0;
    return this.#timers.use(serveMetrics(() => this.metrics.text(), config.monitorPort, config.monitorAddress)).port;
  }
}

function openHelper(config: ProvisionerConfig, clock: Clock): Helper | Promise<Helper> {
  return config.helperModule ? moduleHelper(config.helper, { clock }) : processHelper(config.helper, { clock });
}

function brokerUser({ brokerPassword }: ProvisionerConfig): { user: string; password: string } {
  return { user: "provisioner", password: brokerPassword };
}

/** Signing thousands of requests a second is no reason to read the same two files as often. */
function cached(files: CredentialFiles, clock: Clock): () => Credentials {
  let held: Credentials | undefined;
  let readAt = 0;
  return () => {
    const now = clock.now();
    if (held === undefined || now - readAt >= credentialsAge) {
      held = readCredentials(files, now);
      readAt = now;
    }
    return held;
  };
}
