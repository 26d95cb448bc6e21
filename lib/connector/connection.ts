import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/nats-core";
import { backoff, type Clock, errorText, fiveSecondSteps, type Logger, systemClock } from "../std/mod.ts";
import { dialOnce, ReconnectPace } from "./_dial.ts";
import { Outbox } from "./_outbox.ts";
import type { ConnectOptions, PublishOptions } from "./options.ts";

/** A connection to the broker that comes back by itself. */
export interface Connection extends AsyncDisposable {
  /** The NATS client, for JetStream and KV. */
  readonly nats: NatsConnection;
  /** The broker as `nats://host:port`; empty while disconnected. */
  readonly server: string;
  /** Resolves once closed for good, with the error if there was one. */
  readonly closed: Promise<Error | undefined>;
  /** Send a message. While the connection is being restored up to 256 KiB are held; what is more is lost, and logged. */
  publish(subject: string, data: Uint8Array, options?: PublishOptions): void;
  /**
   * Receive messages. What the handler throws, or rejects with, is logged and goes no further.
   *
   * @param queue Share the messages among all subscribers that give the same name.
   */
  subscribe(subject: string, handler: (message: Msg) => void | Promise<void>, queue?: string): Subscription;
  /** A subject of our own, for answers that come in more than one message. */
  newInbox(): string;
  /** Wait until the broker has seen everything sent so far. */
  flush(): Promise<void>;
  /** Send what is buffered and close. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connect to a broker, trying until it works, and keep the connection for ever: neither lost brokers nor refused
 * logins end it.
 *
 * @throws {Error} when `signal` aborts or `attempts` are used up before the first connection stands.
 */
export async function connectBroker(options: ConnectOptions): Promise<Connection> {
  const { logger, clock = systemClock, signal, attempts = 0 } = options;
  const waits = backoff(fiveSecondSteps);
  const pace = new ReconnectPace(options.servers.length, options.reconnectSteps);
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return new BrokerConnection(await dialOnce(options, pace), options, pace);
    } catch (error) {
      signal?.throwIfAborted();
      const text = `Initial connection to the Broker failed on try ${attempt}: ${errorText(error)}`;
      if (attempt === attempts) throw new Error(text, { cause: error });
      logger.warn(text, { servers: options.servers.join(",") });
    }
    await clock.sleep(waits.delay(attempt - 1), signal);
  }
}

/** How long a closing connection waits for what it has sent to arrive, in milliseconds. */
const flushTimeout = 2_000;

/** How much is held while there is no broker, in bytes. */
const outboxBytes = 256 * 1_024;

class BrokerConnection implements Connection {
  readonly nats: NatsConnection;
  readonly closed: Promise<Error | undefined>;
  readonly #logger: Logger;
  readonly #onState: ConnectOptions["onState"];
  readonly #inboxPrefix: string;
  readonly #pace: ReconnectPace;
  readonly #clock: Clock;
  readonly #outbox = new Outbox(outboxBytes);
  #isUp = true;
  #closing: Promise<void> | undefined;

  constructor(nats: NatsConnection, options: ConnectOptions, pace: ReconnectPace) {
    this.nats = nats;
    this.#clock = options.clock ?? systemClock;
    this.#pace = pace;
    this.#logger = options.logger;
    this.#onState = options.onState;
    this.#inboxPrefix = options.inboxPrefix;
    this.closed = nats.closed().then((error) => (error instanceof Error ? error : undefined));
    void this.#watch();
    this.#logger.debug("Connected to the broker", { server: this.server, connection: options.name });
    this.#pace.connected();
    this.#tell("connected");
  }

  get server(): string {
    return this.#isUp && !this.nats.isClosed() ? `nats://${this.nats.getServer()}` : "";
  }

  publish(subject: string, data: Uint8Array, options?: PublishOptions): void {
    // The client forgets what it is given while it dials.
    if (this.#isUp || this.nats.isClosed()) this.nats.publish(subject, data, options);
    else if (!this.#outbox.hold({ subject, data, options })) {
      this.#logger.warn("A message is lost: too many wait for the broker to come back", { subject });
    }
  }

  subscribe(subject: string, handler: (message: Msg) => void | Promise<void>, queue?: string): Subscription {
    return this.nats.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error) this.#logger.warn("Subscription failed", { subject, reason: errorText(error) });
        else void this.#handle(subject, handler, message);
      },
    });
  }

  newInbox(): string {
    return createInbox(this.#inboxPrefix);
  }

  flush(): Promise<void> {
    return this.nats.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.nats.isClosed()) return;
    // Draining needs a broker; without one, or with one that is stuck, there is nothing to wait for.
    if (this.#isUp) await this.#flushed();
    await this.nats.close();
  }

  async #flushed(): Promise<void> {
    const waiting = new AbortController();
    const flushed = this.nats.flush().catch(() => undefined);
    await Promise.race([flushed, this.closed, this.#clock.sleep(flushTimeout, waiting.signal)]);
    waiting.abort();
  }

  async #handle(subject: string, handler: (message: Msg) => void | Promise<void>, message: Msg): Promise<void> {
    try {
      await handler(message);
    } catch (error) {
      this.#logger.error("Message could not be handled", { subject, reason: errorText(error) });
    }
  }

  async #watch(): Promise<void> {
    for await (const status of this.nats.status()) {
      if (status.type === "disconnect") this.#turn(false, status.server);
      else if (status.type === "reconnect") this.#turn(true, status.server);
      else if (status.type === "error") {
        this.#logger.warn("The broker reports an error", { reason: errorText(status.error) });
      }
    }
    this.#isUp = false;
    this.#tell("closed");
  }

  /** The client tells of each attempt that failed as of another loss, and of another return once one worked. */
  #turn(isUp: boolean, server: string): void {
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    if (isUp) {
      this.#pace.connected();
      for (const { subject, data, options } of this.#outbox.take()) this.nats.publish(subject, data, options);
      this.#logger.info("Reconnected to the broker", { server });
    } else {
      this.#logger.warn("Disconnected from the broker", { server });
    }
    this.#tell(isUp ? "connected" : "disconnected");
  }

  #tell(state: "connected" | "disconnected" | "closed"): void {
    try {
      this.#onState?.(state);
    } catch (error) {
      this.#logger.error("A listener of the connection failed", { state, reason: errorText(error) });
    }
  }
}
