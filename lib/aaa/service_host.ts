import type { Config } from "../config/mod.ts";
import { brokersOf, type Connection, connectBroker, fileLogin, tlsOptions } from "../connector/mod.ts";
import { newEvent, publishEvent } from "../lifecycle/mod.ts";
import { subjects } from "../protocol/mod.ts";
import { type Agent, AgentHost } from "../rpc/mod.ts";
import { type CredentialFiles, credentialFiles, HeldCredentials } from "../security/mod.ts";
import { type Clock, errorText, type Logger, version } from "../std/mod.ts";

const component = "service_host";
const minute = 60_000;

/** What {@link startServiceHost} hosts, and as whom. */
export interface ServiceHostOptions {
  /** Brokers, token and seed, collectives. */
  config: Config;
  agent: Agent;
  clock: Clock;
  logger: Logger;
  /** Tells whether the service can be reached. */
  onState?: (isConnected: boolean) => void;
}

/** A service on the network. */
export interface ServiceHost extends AsyncDisposable {
  /** Resolves once the service can be called for the first time. */
  readonly ready: Promise<void>;
}

/**
 * Host an agent on the broker that a configuration names, as the server that its token names. The connection is made
 * in the background and tried for ever.
 *
 * Requests are taken unverified, as those to the signer carry no signature; what counts is inside of them.
 *
 * @throws {Error} when the configuration names no server's token that can be used.
 */
export function startServiceHost(options: ServiceHostOptions): ServiceHost {
  const { config, clock, logger } = options;
  const files = credentialFiles(config);
  const credentials = new HeldCredentials(files, clock, { logger });
  const { claims, holder } = credentials.current();
  if (claims.purpose !== "choria_server") {
    throw new Error(`Cannot host the service ${options.agent.metadata.name}: ${files.tokenFile} is no server's token`);
  }
  return new BackgroundHost(options, files, credentials, holder);
}

class BackgroundHost implements ServiceHost {
  readonly ready: Promise<void>;
  readonly #options: ServiceHostOptions;
  readonly #identity: string;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  readonly #parts = new AsyncDisposableStack();

  constructor(options: ServiceHostOptions, files: CredentialFiles, credentials: HeldCredentials, identity: string) {
    this.#options = options;
    this.#identity = identity;
    const started = Promise.withResolvers<void>();
    this.ready = started.promise;
    this.#done = this.#start(files, credentials).then(started.resolve, (error) => {
      if (this.#stopping.signal.aborted) return;
      options.logger.error("The service is not hosted", { reason: errorText(error) });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#done;
    await this.#parts.disposeAsync();
  }

  async #start(files: CredentialFiles, credentials: HeldCredentials): Promise<void> {
    const { config, agent, clock, logger } = this.#options;
    const connection = this.#parts.use(await this.#connect(files));
    const host = new AgentHost({
      connection,
      identity: this.#identity,
      collectives: config.collectives,
      agents: [agent],
      ...(config.get("plugin.security.choria.sign_replies") ? { credentials: () => credentials.current() } : {}),
      serviceOnly: true,
      clock,
      logger,
    });
    this.#parts.use(host);
    await connection.flush();
    this.#announce(connection);
    logger.info("Hosting the service", { agent: agent.metadata.name, identity: this.#identity });
  }

  async #connect(files: CredentialFiles): Promise<Connection> {
    const { config, clock, logger, onState } = this.#options;
    return connectBroker({
      servers: await brokersOf(config),
      name: this.#identity,
      login: fileLogin(files, clock, natsUser(config)),
      inboxPrefix: subjects.inbox(config.mainCollective, this.#identity),
      tls: tlsOptions(config),
      clock,
      logger,
      signal: this.#stopping.signal,
      onState: (state) => onState?.(state === "connected"),
    });
  }

  /** Tells the network that the service is there, once and then again and again. */
  #announce(connection: Connection): void {
    const { clock } = this.#options;
    const publish = (type: "startup" | "alive") =>
      publishEvent(connection, newEvent({ type, identity: this.#identity, component, version }, clock.now()));
    publish("startup");
    const first = clock.after(Math.random() * 5 * minute, () => {
      publish("alive");
      this.#parts.use(clock.every(30 * minute, () => publish("alive")));
    });
    this.#parts.use(first);
  }
}

function natsUser(config: Config) {
  const user = config.get("plugin.nats.user");
  return user === "" ? {} : { user, password: config.get("plugin.nats.pass") };
}
