import type { AgentDdl } from "../ddl/mod.ts";
import { checkIdentities } from "../discovery/mod.ts";
import { emptyFilter, type Filter, isEmptyFilter, subjects } from "../protocol/mod.ts";
import { Channel } from "../std/mod.ts";
import type { Delivery, Exchange, Parcel } from "./courier.ts";
import { filterOf } from "./filter_options.ts";
import { type FleetReply, fleetReply } from "./reply.ts";
import type { RequestContext, RequestEvent, RequestOptions } from "./request_options.ts";
import type { Rejection, Tally } from "./stats.ts";
import { batchesOf, limitTargets } from "./targets.ts";

/** Timeout of agents that name none, in seconds. */
const defaultAgentTimeout = 10;

type Mode = "direct" | "broadcast" | "service";

/** What is called: an agent whose DDL is known, with the payload of the request. */
export interface CallSubject {
  ddl: AgentDdl;
  payload: Uint8Array;
}

/** One run of a request: finds the nodes, sends to them, in batches where asked to, and gathers what comes back. */
export class Call {
  readonly #context: RequestContext;
  readonly #options: RequestOptions;
  readonly #tally: Tally;
  readonly #ddl: AgentDdl;
  readonly #payload: Uint8Array;
  readonly #filter: Filter;
  readonly #collective: string;
  readonly #mode: Mode;
  readonly #replies = new Channel<FleetReply>();
  /** Nodes of the present batch that are outstanding, and how its wait ends. */
  #pending = new Set<string>();
  #round = Promise.withResolvers<void>();
  #hasLeft = false;
  /** Whether the broker knows that nobody listens. */
  #isUnheard = false;

  /**
   * @param tally Where figures are kept.
   * @throws {Error} when filter, collective or mode do not fit.
   */
  constructor(context: RequestContext, options: RequestOptions, tally: Tally, { ddl, payload }: CallSubject) {
    this.#context = context;
    this.#options = options;
    this.#tally = tally;
    this.#ddl = ddl;
    this.#payload = payload;
    this.#filter = filterOf(options.filter ?? {});
    this.#collective = context.collective(options.collective);
    this.#mode = modeOf(ddl, options, this.#filter);
  }

  /** Make the call and hand out replies as they come. */
  async *replies(): AsyncGenerator<FleetReply> {
    const nodes = this.#mode === "direct" ? await this.#targets() : [];
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, this.#context.signal, ...one(this.#options.signal)]);
    using exchange = this.#context.courier.open(this.#parcel(), {
      deliver: (delivery) => this.#deliver(delivery),
      refused: (error) => this.#round.reject(error),
      leaving: () => this.#leaving(),
    });
    this.#tally.requestId = exchange.id;
    const sent = this.#sendAll(exchange, nodes, signal).then(
      () => this.#replies.end(),
      (error: unknown) => this.#replies.fail(error),
    );
    try {
      yield* this.#replies;
    } finally {
      left.abort();
      await sent;
    }
    if (this.#mode === "service" && this.#options.replyTo === undefined) this.#demandAnswer();
  }

  /** A service answers, or something is wrong with it. */
  #demandAnswer(): void {
    if (this.#tally.responses > 0) return;
    const service = `the service ${this.#agent}`;
    if (this.#isUnheard) throw new Error(`expected 1 response received 0: nobody hosts ${service}`);
    const hint = this.#rejectedHint() || `, ${service} did not answer in time`;
    throw new Error(`expected 1 response received 0${hint}`);
  }

  #parcel(): Parcel {
    const { replyTo } = this.#options;
    if (replyTo !== undefined && !/^[^\s*>]+$/.test(replyTo)) {
      throw new Error(`Cannot have replies sent to ${JSON.stringify(replyTo)}: it is not a subject`);
    }
    const { signer } = this.#context;
    return {
      agent: this.#agent,
      collective: this.#collective,
      filter: this.#mode === "service" ? emptyFilter() : this.#agentFilter,
      payload: this.#payload,
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(signer === undefined ? {} : { signer }),
    };
  }

  get #agent(): string {
    return this.#ddl.metadata.name;
  }

  /** Only nodes that have the agent are meant. */
  get #agentFilter(): Filter {
    const { agent } = this.#filter;
    return { ...this.#filter, agent: agent.includes(this.#agent) ? agent : [...agent, this.#agent] };
  }

  async #targets(): Promise<string[]> {
    const { limit } = this.#options;
    const nodes = this.#options.nodes === undefined ? await this.#discover() : [...new Set(this.#options.nodes)];
    if (nodes.length === 0) throw new Error(`did not discover any nodes${this.#rejectedHint()}`);
    checkIdentities(nodes, "the nodes of the request");
    return limit === undefined ? nodes : limitTargets(nodes, limit);
  }

  #rejectedHint(): string {
    const { rejected, rejections } = this.#tally.stats();
    return rejected === 0 ? "" : `: ${rejected} replies were not accepted, the first as: ${rejections[0]?.reason}`;
  }

  async #discover(): Promise<string[]> {
    const { clock, discover } = this.#context;
    const start = clock.now();
    const onRejected = (rejection: Rejection) => this.#reject(rejection);
    const { method, nodes } = discover({ ...this.#options, onRejected }, this.#agentFilter);
    this.#emit({ kind: "discovering", method });
    const found = await Array.fromAsync(nodes);
    this.#tally.discoverTime = clock.now() - start;
    this.#emit({ kind: "discovered", method, nodes: found, time: this.#tally.discoverTime });
    return found;
  }

  async #sendAll(exchange: Exchange, nodes: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.#mode !== "direct") {
      return this.#sendRound(exchange, [subjects[this.#mode](this.#collective, this.#agent)], [], signal);
    }
    const { batch = 0, batchSleep = 1_000 } = this.#options;
    this.#tally.expect(nodes);
    for (const [i, group] of batchesOf(nodes, batch).entries()) {
      if (i > 0) await this.#context.clock.sleep(batchSleep, signal);
      const targets = group.map((node) => subjects.node(this.#collective, node));
      await this.#sendRound(exchange, targets, group, signal);
    }
  }

  /** Send to some targets and wait until nobody of them is outstanding or the time is over. */
  async #sendRound(exchange: Exchange, targets: string[], nodes: string[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    signal.throwIfAborted();
    this.#pending = new Set(nodes);
    this.#round = Promise.withResolvers();
    const { promise, resolve, reject } = this.#round;
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const start = clock.now();
    this.#tally.startTime ||= start;
    try {
      // Answers may all be there, or the wait be called off, before the broker confirms what was sent.
      await Promise.race([exchange.send(targets), promise]);
      this.#tally.publishTime += clock.now() - start;
      if (this.#options.replyTo !== undefined) return;
      using _limit = clock.after(this.#timeout, resolve);
      await promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#tally.requestTime = clock.now() - this.#tally.startTime;
    }
  }

  /** A request that is not signed never leaves, so nobody is told of it before. */
  #leaving(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#emit({ kind: "sending", total: this.#mode === "direct" ? this.#tally.discovered : 1 });
  }

  get #timeout(): number {
    const agentTimeout = this.#ddl.metadata.timeout || defaultAgentTimeout;
    return this.#options.requestTimeout ?? this.#context.networkTimeout + agentTimeout * 1_000;
  }

  #deliver(delivery: Delivery): void {
    if (delivery.kind === "rejected") this.#reject(delivery);
    else if (delivery.kind === "reply") this.#answer(fleetReply(delivery.reply));
    else if (this.#mode === "direct") this.#settle(nodeOf(delivery.subject, this.#collective));
    else {
      this.#isUnheard = true;
      this.#round.resolve();
    }
  }

  #answer(reply: FleetReply): void {
    // Everybody may answer a broadcast; of a service only the first answer counts.
    const isOpen = this.#mode === "broadcast" || (this.#mode === "service" && this.#tally.responses === 0);
    if (isOpen) this.#tally.expect([reply.sender]);
    if (!this.#tally.awaits(reply.sender)) {
      this.#tally.stray(reply.sender);
      return;
    }
    this.#tally.answer(reply.sender, reply.ok);
    this.#replies.push(reply);
    this.#emit({ kind: "progress", done: this.#tally.responses, total: this.#tally.discovered });
    if (this.#mode === "service") this.#round.resolve();
    else if (this.#mode === "direct") this.#settle(reply.sender);
  }

  #settle(node: string): void {
    this.#pending.delete(node);
    if (this.#pending.size === 0) this.#round.resolve();
  }

  #reject({ sender, reason }: Rejection): void {
    this.#tally.reject({ sender, reason });
    this.#emit({ kind: "rejected", rejection: { sender, reason } });
  }

  #emit(event: RequestEvent): void {
    this.#options.onEvent?.(event);
  }
}

function modeOf(ddl: AgentDdl, options: RequestOptions, filter: Filter): Mode {
  if (!ddl.metadata.service) return options.broadcast ? "broadcast" : "direct";
  if (options.nodes === undefined && isEmptyFilter(filter)) return "service";
  throw new Error("service requests does not support filters");
}

function nodeOf(subject: string, collective: string): string {
  return subject.slice(subjects.node(collective, "").length);
}

function one<T>(item: T | undefined): T[] {
  return item === undefined ? [] : [item];
}
