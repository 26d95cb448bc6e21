import type { Connection } from "../connector/mod.ts";
import { type Filter, type Request, subjects, type Transport } from "../protocol/mod.ts";
import type { Credentials, ReplayGuard, RequestVerifier } from "../security/mod.ts";
import { type Clock, errorText, type Logger } from "../std/mod.ts";
import { fieldsOf, type Incoming, Refused, receive } from "./_receive.ts";
import { wrapReply } from "./_reply.ts";
import { failed, runAgent } from "./_run.ts";
import type { Agent, AgentMessage, AgentMetadata } from "./agent.ts";
import { type HostStats, newHostStats } from "./host_stats.ts";

/** Everything an {@link AgentHost} works with; it owns none of it. */
export interface AgentHostOptions {
  connection: Pick<Connection, "publish" | "subscribe" | "server">;
  /** Name of this node: its own subject, and the sender of its replies. */
  identity: string;
  collectives: readonly string[];
  /** Agents to begin with; more come by {@link AgentHost.add}. */
  agents?: readonly Agent[];
  /**
   * Decides which requests are believed. Without it requests are decoded and taken as they are: for service hosts
   * that verify by other means, and while a node is provisioned.
   */
  verifier?: Pick<RequestVerifier, "verify">;
  /** Token and key that replies are signed with, asked for each reply. Without it replies are not signed. */
  credentials?: () => Pick<Credentials, "token" | "key">;
  /**
   * Whether this node is meant by a filter that is not empty. What it throws counts as no.
   * @default nothing matches a filter
   */
  matches?: (filter: Filter, agents: readonly string[]) => boolean | Promise<boolean>;
  /** Lets each request in once; one guard per host, as every host must see a broadcast. */
  replay?: ReplayGuard;
  /** Host service agents only, and do not listen on the node's own subject. */
  serviceOnly?: boolean;
  clock: Clock;
  logger: Logger;
  /**
   * Most messages that are worked on at a time; those beyond are dropped.
   * @default 10_000
   */
  maxInFlight?: number;
  /**
   * Longest message that is looked at, in bytes.
   * @default 8 MiB
   */
  maxMessageBytes?: number;
}

/** Replies from this size on, in bytes, may be too large for the broker: then their callers are told. */
const bigReply = 64 * 1024;

interface Hosted {
  agent: Agent;
  subscriptions: { unsubscribe(): void }[];
}

/**
 * Takes requests off the network for the agents of a node and sends their replies. Whatever arrives, nothing is
 * thrown: what cannot be used is counted in {@link AgentHost.stats} and logged with the reason.
 */
export class AgentHost implements AsyncDisposable {
  /** What happened to the messages so far. */
  readonly stats: HostStats = newHostStats();
  readonly #options: AgentHostOptions;
  readonly #hosted = new Map<string, Hosted>();
  readonly #running = new Set<AbortController>();
  readonly #nodeSubscriptions: { unsubscribe(): void }[] = [];
  #idle = Promise.withResolvers<void>();
  #inFlight = 0;
  #isStopped = false;

  /** @throws {Error} when one of the agents cannot be hosted. */
  constructor(options: AgentHostOptions) {
    this.#options = options;
    for (const agent of options.agents ?? []) this.add(agent);
    if (!options.serviceOnly) this.#listenOnNode();
  }

  /**
   * Host an agent from now on.
   *
   * @throws {Error} when it has no usable name or timeout, is hosted already, or is no service where only services
   * are hosted.
   */
  add(agent: Agent): void {
    const { name } = agent.metadata;
    this.#admit(agent.metadata);
    this.#hosted.set(name, { agent, subscriptions: [] });
    this.#hosted.get(name)?.subscriptions.push(...this.#subscribe(agent.metadata));
  }

  /** Host an agent no longer. Calls that run are finished. Gives whether there was one of that name. */
  remove(name: string): boolean {
    const hosted = this.#hosted.get(name);
    for (const subscription of hosted?.subscriptions ?? []) subscription.unsubscribe();
    return this.#hosted.delete(name);
  }

  /** What the hosted agents say about themselves, sorted by name. */
  agents(): AgentMetadata[] {
    const byName = (a: AgentMetadata, b: AgentMetadata) => (a.name < b.name ? -1 : 1);
    return [...this.#hosted.values()].map(({ agent }) => agent.metadata).sort(byName);
  }

  /** How many messages are being worked on. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Take no more requests, let those that run finish and abort what is left after `grace` milliseconds (default
   * 1,000). The connection stays open. Idempotent.
   */
  async stop(grace = 1_000): Promise<void> {
    this.#isStopped = true;
    for (const subscription of this.#nodeSubscriptions.splice(0)) subscription.unsubscribe();
    for (const name of [...this.#hosted.keys()]) this.remove(name);
    if (this.#inFlight === 0) return;
    const waiting = new AbortController();
    await Promise.race([this.#idle.promise, this.#options.clock.sleep(grace, waiting.signal)]);
    waiting.abort();
    for (const controller of this.#running) controller.abort(new Error("The host stops"));
  }

  /** {@link stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Work on one message as it came off the network. Never rejects; tests and other transports may call it. */
  async handle(data: Uint8Array): Promise<void> {
    if (this.#isStopped || !this.#hasRoom(data)) return;
    this.#inFlight++;
    try {
      const incoming = await this.#receive(data);
      if (incoming !== undefined) await this.#dispatch(incoming);
    } catch (error) {
      this.#options.logger.error("A message could not be handled", { reason: errorText(error) });
    } finally {
      this.#release();
    }
  }

  #admit({ name, timeout, service }: AgentMetadata): void {
    if (this.#isStopped) throw new Error(`Cannot host the agent "${name}": the host is stopped`);
    // The name becomes part of a subject.
    if (!/^[a-zA-Z0-9_-]+$/.test(name)) {
      throw new Error(`Cannot host the agent "${name}": its name must be of letters, digits and underscores`);
    }
    if (!(timeout >= 1)) throw new Error(`Cannot host the agent "${name}": its timeout must be 1 second or more`);
    if (this.#hosted.has(name)) throw new Error(`Cannot host the agent "${name}": there is one of that name`);
    if (this.#options.serviceOnly && !service) throw new Error(`Denying non Service Agent ${name}`);
  }

  #subscribe({ name, service }: AgentMetadata): { unsubscribe(): void }[] {
    const { connection, collectives } = this.#options;
    return collectives.map((collective) =>
      service
        ? connection.subscribe(subjects.service(collective, name), (m) => this.handle(m.data), name)
        : connection.subscribe(subjects.broadcast(collective, name), (m) => this.handle(m.data)),
    );
  }

  #listenOnNode(): void {
    const { connection, collectives, identity } = this.#options;
    for (const collective of collectives) {
      const subject = subjects.node(collective, identity);
      this.#nodeSubscriptions.push(connection.subscribe(subject, (m) => this.handle(m.data)));
    }
  }

  #hasRoom(data: Uint8Array): boolean {
    const { maxInFlight = 10_000, maxMessageBytes = 8 * 1024 * 1024, logger } = this.#options;
    if (data.length > maxMessageBytes) {
      this.stats.total++;
      this.stats.invalid++;
      logger.warn("A message is too long to be looked at", { bytes: data.length, limit: maxMessageBytes });
      return false;
    }
    if (this.#inFlight < maxInFlight) return true;
    this.stats.total++;
    // A flood must not become a flood of log lines.
    if (this.stats.dropped++ % 1_000 === 0) {
      logger.error("Messages are dropped, as too many are being worked on", { limit: maxInFlight });
    }
    return false;
  }

  #release(): void {
    if (--this.#inFlight > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
  }

  async #receive(data: Uint8Array): Promise<Incoming | undefined> {
    const { collectives, verifier, matches = () => false, replay, clock, logger } = this.#options;
    try {
      return await receive(data, {
        collectives,
        verifier,
        matches: (filter) => matches(filter, [...this.#hosted.keys()]),
        replay,
        stats: this.stats,
        now: () => clock.now(),
      });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.stats[error.counter]++;
      const level = error.isFault ? "warn" : "debug";
      logger[level]("A request is not acted on", { ...error.fields, cause: error.counter, reason: error.message });
      return undefined;
    }
  }

  async #dispatch({ message, transport }: Incoming): Promise<void> {
    const { logger, clock } = this.#options;
    const { request } = message;
    const agent = this.#hosted.get(request.agent)?.agent;
    if (agent === undefined) {
      logger.warn("Received a message for an agent that does not exist, discarding", fieldsOf(request));
      return;
    }
    const controller = new AbortController();
    this.#running.add(controller);
    try {
      const { payload, failure } = await runAgent(agent, message, controller, clock);
      if (failure !== undefined) logger.error("Agent did not answer", { ...fieldsOf(request), reason: failure });
      if (payload !== undefined) this.#reply(payload, message, transport);
    } finally {
      this.#running.delete(controller);
    }
  }

  #reply(payload: Uint8Array, message: AgentMessage, sent: Transport): void {
    const { request } = message;
    if (sent.reply === undefined || !isSubject(sent.reply)) {
      this.#options.logger.warn("do not know how to reply, no reply-to header has been set", fieldsOf(request));
      return;
    }
    const isSent = this.#send(sent.reply, payload, request, sent);
    if (isSent || payload.length < bigReply) return;
    const { payload: apology } = failed(message, `gave a reply of ${payload.length} bytes, which cannot be sent`);
    if (apology !== undefined) this.#send(sent.reply, apology, request, sent);
  }

  #send(subject: string, payload: Uint8Array, request: Request, sent: Transport): boolean {
    const { connection, identity, credentials, clock, logger } = this.#options;
    const { server } = connection;
    try {
      const options = { identity, server, credentials: credentials?.(), now: clock.now() };
      connection.publish(subject, wrapReply(payload, request, sent, options));
      this.stats.replies++;
      return true;
    } catch (error) {
      logger.error("A reply could not be sent", { ...fieldsOf(request), reason: errorText(error) });
      return false;
    }
  }
}

/** The reply subject is not under the signature: anything that is no plain subject could end up in the protocol. */
function isSubject(text: string): boolean {
  return text.length <= 1_024 && /^[^\s.*>\p{Cc}]+(\.[^\s.*>\p{Cc}]+)*$/u.test(text);
}
