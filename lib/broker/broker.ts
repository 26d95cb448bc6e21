import type { AdaptersHandle } from "../adapters/mod.ts";
import { type Config, hostIdentity } from "../config/mod.ts";
import { type Connection, connectBroker } from "../connector/mod.ts";
import type { Nkey } from "../crypto/mod.ts";
import { type Clock, errorText, type Logger, silentLogger, systemClock, version } from "../std/mod.ts";
import { manageStreams } from "../streams/mod.ts";
import { CalloutResponder } from "./callout.ts";
import { type CalloutKeys, calloutKeys } from "./callout_keys.ts";
import { LoginJudge } from "./login_judge.ts";
import { loginPolicy } from "./login_policy.ts";
import { type BrokerPorts, natsConfig, peerPort } from "./nats_config.ts";
import { findNatsServer, type NatsServer } from "./nats_server.ts";
import { countBrokers, peersOf } from "./peers.ts";
import { routeCertificateFiles } from "./route_certificate.ts";
import { checkBrokerSettings, reportUnusedSettings } from "./settings.ts";
import { type StatsServer, startStats } from "./stats.ts";
import { type ConfigWriter, NatsSupervisor } from "./supervisor.ts";

/** What a broker is started with. */
export interface BrokerOptions {
  logger: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** Ends the start, should it not have come to its end; a started broker is ended by its handle. */
  signal?: AbortSignal;
  /** By default the one that {@link findNatsServer} finds. */
  natsServer?: NatsServer;
}

/** A running broker. */
export interface BrokerHandle extends AsyncDisposable {
  readonly identity: string;
  readonly ports: BrokerPorts & {
    /** 0 for none. */
    stats: number;
  };
  /** Process id of nats-server; undefined while it is being started anew. */
  readonly natsPid: number | undefined;
  /** How many logins were let in and refused. */
  readonly logins: { allowed: number; refused: number };
  /** How many data adapters run. */
  readonly adapters: number;
  /** Resolves when the managed streams stand. */
  readonly streamsReady: Promise<void>;
  /**
   * Take over another configuration. Who may log in is judged by it from now on. Where it changes what nats-server
   * itself is told, such as accounts, limits or the certificate, connections are closed and come back. Peers, ports
   * and adapters are those of the start.
   *
   * @throws {Error} when the configuration cannot be used; the present one then stays.
   */
  reload(config: Config): Promise<void>;
  /** End the broker. Idempotent. */
  stop(): Promise<void>;
}

/** Our own connections return at once: until they do, nobody can log in. Trying a port of this machine costs nothing. */
const localReconnectSteps = [20];
const firstConnectPause = 10;
/** Wait between two attempts to tell nats-server that logins are answered, in milliseconds. */
const servePause = 1_000;
const firstConnectTimeout = 30_000;
/** Longest that logins wait for the adapters to listen again, in milliseconds. */
const adaptersPatience = 3_000;

/**
 * Start a broker: nats-server with accounts, streams and statistics, and the responder that lets peers in.
 *
 * @returns when it takes logins.
 * @throws {Error} saying what is wrong with the configuration or the machine.
 */
export async function startBroker(config: Config, options: BrokerOptions): Promise<BrokerHandle> {
  checkBrokerSettings(config);
  const natsServer = options.natsServer ?? (await findNatsServer());
  const identity = config.get("identity") || (await hostIdentity());
  const peers = await peersOf(config);
  const routeFiles = await routeCertificateFiles(config, identity, peers);
  const broker = new Broker(config, { ...options, natsServer, identity, peers, routeFiles });
  try {
    await broker.start();
  } catch (error) {
    await broker.stop();
    throw error;
  }
  return broker;
}

interface BrokerParts extends BrokerOptions {
  natsServer: NatsServer;
  identity: string;
  peers: readonly string[];
  /** Files of the certificate for links to other brokers, by name. */
  routeFiles: Record<string, string>;
}

class Broker implements BrokerHandle {
  readonly identity: string;
  readonly #parts: BrokerParts;
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #keys: CalloutKeys;
  readonly #judge: LoginJudge;
  readonly #responder: CalloutResponder;
  readonly #supervisor: NatsSupervisor;
  readonly #stopping = new AbortController();
  #connection: Connection | undefined;
  #streams: Connection | undefined;
  #adapters: AdaptersHandle | undefined;
  #isAnswering = false;
  #stats: StatsServer | undefined;
  #stopped: Promise<void> | undefined;
  streamsReady: Promise<void> = Promise.resolve();

  constructor(config: Config, parts: BrokerParts) {
    const { logger, clock = systemClock, identity, peers } = parts;
    this.identity = identity;
    this.#parts = parts;
    this.#config = config;
    this.#clock = clock;
    this.#logger = logger.child({ component: "broker" });
    this.#keys = calloutKeys({
      identity,
      isCluster: peers.length > 0,
      peerSecret: config.get("plugin.choria.network.peer_secret"),
    });
    this.#judge = new LoginJudge(loginPolicy(config, this.#logger), clock);
    this.#responder = new CalloutResponder({
      judge: this.#judge,
      issuer: this.#keys.issuer,
      // Routes and gateways carry what is said in every account; the account of logins has no other users than ours.
      isAlone: peers.length === 0 && config.get("plugin.choria.network.gateway_remotes").length === 0,
      clock,
      logger: logger.child({ component: "authentication" }),
    });
    this.#supervisor = new NatsSupervisor(this.#configWriter(config), {
      program: parts.natsServer.path,
      store: config.get("plugin.choria.network.stream.store"),
      privateFiles: parts.routeFiles,
      files: [config.get("plugin.security.choria.certificate"), config.get("plugin.security.choria.key")],
      grace: config.get("plugin.choria.network.soft_shutdown_timeout") * 1_000,
      logger,
      clock,
    });
  }

  get ports(): BrokerHandle["ports"] {
    const { client = 0, peers = 0, websocket = 0 } = this.#supervisor.ports ?? {};
    return { client, peers, websocket, stats: this.#stats?.port ?? 0 };
  }

  get natsPid(): number | undefined {
    return this.#supervisor.pid;
  }

  get logins(): { allowed: number; refused: number } {
    return this.#responder.counts;
  }

  get adapters(): number {
    return this.#adapters?.adapters.length ?? 0;
  }

  async start(): Promise<void> {
    const { natsServer } = this.#parts;
    reportUnusedSettings(this.#config, this.#logger);
    this.#logger.info(`Choria Broker version ${version} starting with config ${this.#config.file}`, {
      nats_server: natsServer.version,
    });
    await this.#supervisor.start();
    // Nodes publish as soon as they are let in: adapters have to listen by then.
    await this.#startAdapters();
    await this.#answerLogins();
    this.#stats = await this.#startStats();
    this.streamsReady = this.#manageStreams();
    this.#logger.info("Choria Network Broker is ready", { identity: this.identity, port: this.ports.client });
  }

  async reload(config: Config): Promise<void> {
    checkBrokerSettings(config);
    const policy = loginPolicy(config, this.#logger);
    const isPassedOn = await this.#supervisor.reload(this.#configWriter(config));
    this.#judge.policy = policy;
    this.#logger.info("Configuration read anew", { file: config.file, connections: isPassedOn ? "closed" : "kept" });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#logger.info("Choria Network Broker shutting down");
    this.#stopping.abort();
    await this.#stats?.stop();
    await this.#streams?.close();
    await this.streamsReady;
    await this.#adapters?.stop();
    // Logins are answered to the end, as nats-server does not end before those that it has asked about.
    await this.#supervisor.stop();
    await this.#connection?.close();
    this.#logger.info("Choria Network Broker shut down");
  }

  async #answerLogins(): Promise<void> {
    this.#connection = await this.#connect("choria broker authentication", this.#keys.responder, (state) => {
      this.#isAnswering = false;
      if (state === "connected" && this.#connection !== undefined) void this.#serveAgain();
    });
    this.#responder.serve(this.#connection);
    await this.#serve(this.#connection);
  }

  /** Once the subscription stands, logins may take their time. */
  async #serve(connection: Connection): Promise<void> {
    await Promise.all([connection.flush(), this.#adapters?.flush(adaptersPatience)]);
    await this.#supervisor.serve();
    this.#isAnswering = true;
  }

  async #serveAgain(): Promise<void> {
    // Without a connection nats-server has ended again: its next run brings us back here.
    while (this.#connection?.server && !this.#stopping.signal.aborted) {
      try {
        return await this.#serve(this.#connection);
      } catch (error) {
        this.#logger.warn("Logins are not answered yet", { reason: errorText(error) });
      }
      await this.#clock.sleep(servePause, this.#stopping.signal);
    }
  }

  /** Adapters are loaded where the configuration names some. */
  async #startAdapters(): Promise<void> {
    if (this.#config.get("plugin.choria.adapters").length === 0) return;
    const { startAdapters } = await import("../adapters/mod.ts");
    const judge = this.#judge;
    this.#adapters = await startAdapters({
      config: this.#config,
      connect: (name, onState) => this.#connect(name, this.#keys.internal, onState),
      inboxPrefix: "_INBOX",
      trust: {
        get issuers() {
          return judge.policy.issuers;
        },
      },
      clock: this.#clock,
      logger: untilAborted(this.#parts.logger.child({ component: "adapters" }), this.#stopping.signal),
    });
  }

  /** The streams are a matter of their own: without a quorum the broker still does all its other work. */
  async #manageStreams(): Promise<void> {
    const config = this.#config;
    const isManaging = config.get("plugin.choria.network.stream.manage_streams");
    if (config.get("plugin.choria.network.stream.store") === "" || !isManaging) return;
    const { identity, peers } = this.#parts;
    try {
      await using connection = await this.#connect("choria broker streams", this.#keys.internal);
      this.#streams = connection;
      await manageStreams(connection, {
        config,
        brokers: countBrokers(peers, identity, peerPort(config, peers)),
        clock: this.#clock,
        logger: this.#parts.logger.child({ component: "streams" }),
        signal: this.#stopping.signal,
      });
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#logger.error("Streams cannot be managed", { reason: errorText(error) });
    }
  }

  async #startStats(): Promise<StatsServer | undefined> {
    const port = this.#config.get("plugin.choria.stats_port");
    if (port === 0) return undefined;
    return startStats({
      address: this.#config.get("plugin.choria.stats_address"),
      port: Math.max(port, 0),
      identity: this.identity,
      version,
      configFile: this.#config.file,
      maxConnections: this.#config.get("plugin.choria.network.max_connections"),
      monitorPort: () => (this.natsPid === undefined ? undefined : this.#supervisor.ports?.monitor),
      fault: () => this.#fault(),
      logins: () => this.logins,
      adapters: () => this.#adapters?.metrics(this.identity) ?? "",
      logger: this.#logger,
    });
  }

  async #fault(): Promise<string | undefined> {
    if (this.natsPid === undefined) return "nats-server is not running";
    if (!this.#isAnswering || this.#connection === undefined) return "logins are not being answered";
    const reply = this.#connection.nats.rtt().then(
      () => undefined,
      (error) => errorText(error),
    );
    const late = this.#clock.sleep(2_000).then(() => "logins are answered too late");
    return Promise.race([reply, late]);
  }

  /** A connection of our own to our own nats-server, made as soon as it listens. */
  async #connect(
    name: string,
    nkey: Nkey,
    onState: (state: "connected" | "disconnected" | "closed") => void = () => {},
  ): Promise<Connection> {
    const { signal } = this.#parts;
    const end = this.#clock.now() + firstConnectTimeout;
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await connectBroker({
          servers: [this.#localAddress()],
          name,
          login: () => ({ nkey }),
          inboxPrefix: "_INBOX",
          logger: untilAborted(this.#logger, this.#stopping.signal),
          tls: {},
          clock: this.#clock,
          timeout: 5_000,
          reconnectSteps: localReconnectSteps,
          attempts: 1,
          onState,
        });
      } catch (error) {
        if (this.#clock.now() > end || this.#stopping.signal.aborted) throw error;
      }
      await this.#clock.sleep(firstConnectPause);
    }
  }

  #localAddress(): string {
    const listen = this.#config.get("plugin.choria.network.listen_address");
    const host = ["", "::", "0.0.0.0"].includes(listen) ? "127.0.0.1" : listen;
    return `${host.includes(":") ? `[${host}]` : host}:${this.ports.client}`;
  }

  #configWriter(config: Config): ConfigWriter {
    const { identity, peers } = this.#parts;
    const keys = this.#keys;
    return (state) => natsConfig({ config, identity, keys, peers, ...state });
  }
}

/** Our own connections are lost in good order when nats-server is stopped, which is nothing to report. */
function untilAborted(logger: Logger, signal: AbortSignal): Logger {
  const current = () => (signal.aborted ? silentLogger : logger);
  return {
    debug: (message, fields) => current().debug(message, fields),
    info: (message, fields) => current().info(message, fields),
    warn: (message, fields) => current().warn(message, fields),
    error: (message, fields) => current().error(message, fields),
    child: (fields) => untilAborted(logger.child(fields), signal),
  };
}
