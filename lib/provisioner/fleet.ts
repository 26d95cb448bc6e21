import { type Clock, errorText, type Logger, Semaphore } from "../std/mod.ts";
import type { ProvisionerMetrics } from "./metrics.ts";
import { CallError } from "./node_caller.ts";
import { DeferredError, type NodeOutcome, type NodeTurn, Place } from "./node_turn.ts";

/** How a node came to our attention: by saying that it has started, or by answering a discovery. */
export type NodeSource = "event" | "discovery";

/** What {@link Fleet} works with. */
export interface FleetOptions {
  /** Provision one node. */
  provision: (node: string, turn: NodeTurn) => Promise<NodeOutcome>;
  /** Most nodes that are provisioned at a time; those that have not answered yet, or wait between tries, do not count. */
  places: number;
  /** Longest wait before a node that failed, or was deferred, is taken up again, in milliseconds. */
  longestWait: number;
  metrics: Pick<ProvisionerMetrics, "count" | "set">;
  clock: Clock;
  logger: Logger;
}

interface NodeState {
  state: "queued" | "working" | "done" | "failed";
  /** It started again while it was worked on. */
  announced: boolean;
  /** Before this time only a start-up event gets it back into the queue. */
  until: number;
  failures: number;
  /** How often it was provisioned since it was last forgotten. */
  runs: number;
}

/** For so long a node that was provisioned is not taken up by discovery: it is about to start again. */
const tail = 60_000;
const firstWait = 5_000;
/** A node provisioned more often than this in a row is not being helped by it. */
const freeRuns = 2;
const mostNodes = 50_000;
/** Nodes that are being knocked at: silent ones are in each other's way only. */
const knocking = 512;

/**
 * The nodes that want to be provisioned: each in the queue once, none in the way of others, those that failed left
 * alone for a while, and those just done not done twice.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #nodes = new Map<string, NodeState>();
  readonly #knocks = new Semaphore(knocking);
  readonly #places: Semaphore;
  #stopping = new AbortController();
  #queued = 0;
  #working = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#places = new Semaphore(options.places);
  }

  /** How many nodes wait for their turn. */
  get queued(): number {
    return this.#queued;
  }

  /** How many nodes are worked on. */
  get working(): number {
    return this.#working;
  }

  /** Consider a node. Gives whether it was put into the queue. */
  add(node: string, source: NodeSource): boolean {
    if (!isNodeName(node)) {
      this.#options.logger.warn("A node with an impossible name is passed over", { identity: node.slice(0, 100) });
      return false;
    }
    const known = this.#nodes.get(node);
    if (known === undefined) return this.#enqueue(node, { failures: 0, runs: 0 });
    if (known.state === "queued") return false;
    if (known.state === "working") {
      if (source === "event") known.announced = true;
      return false;
    }
    const isDue = this.#options.clock.now() >= known.until;
    const isStartedAnew = source === "event" && known.runs <= freeRuns;
    return isDue || isStartedAnew ? this.#enqueue(node, known) : false;
  }

  /** Forget nodes that are done with. Called now and then. */
  prune(): void {
    const now = this.#options.clock.now();
    for (const [node, { state, until }] of this.#nodes) {
      if (state === "done" && now >= until) this.#nodes.delete(node);
      if (state === "failed" && now >= until + tail) this.#nodes.delete(node);
    }
    this.#report();
  }

  /** Forget every node that is not being worked on. */
  clear(): void {
    for (const [node, { state }] of this.#nodes) if (state !== "working") this.#nodes.delete(node);
    this.#queued = 0;
    this.#report();
  }

  /** Call off all work. */
  stop(): void {
    this.clear();
    this.#stopping.abort();
  }

  #enqueue(node: string, { failures, runs }: Pick<NodeState, "failures" | "runs">): boolean {
    const { logger } = this.#options;
    if (this.#queued >= mostNodes) {
      logger.warn("The queue is full; a node has to be discovered again", { identity: node, limit: mostNodes });
      return false;
    }
    const entry: NodeState = { state: "queued", announced: false, until: 0, failures, runs };
    this.#nodes.set(node, entry);
    this.#queued++;
    this.#report();
    void this.#take(node, entry);
    return true;
  }

  async #take(node: string, entry: NodeState): Promise<void> {
    const place = await Place.at(this.#knocks);
    try {
      if (this.#nodes.get(node) !== entry || this.#stopping.signal.aborted) return;
      this.#queued--;
      this.#working++;
      entry.state = "working";
      this.#report();
      await this.#work(node, entry, place);
      this.#working--;
      this.#report();
    } finally {
      place.leave();
    }
    if (entry.announced && this.#hasFailed(node)) this.#enqueue(node, entry);
  }

  #hasFailed(node: string): boolean {
    return this.#nodes.get(node)?.state === "failed";
  }

  async #work(node: string, entry: NodeState, place: Place): Promise<void> {
    const { clock, logger, metrics } = this.#options;
    const started = clock.now();
    try {
      const outcome = await this.#options.provision(node, this.#turn(place));
      metrics.count("provisioned");
      logger.info(`Provisioned ${node}`, { outcome, ms: clock.now() - started });
      this.#succeed(node, entry, outcome);
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#fail(node, entry, error);
    }
  }

  #turn(place: Place): NodeTurn {
    const { signal } = this.#stopping;
    return {
      signal,
      enter: () => place.move(this.#places),
      rest: async (ms) => {
        await place.yield(() => this.#options.clock.sleep(ms, signal));
        signal.throwIfAborted();
      },
    };
  }

  #succeed(node: string, entry: NodeState, outcome: NodeOutcome): void {
    const { clock, logger, longestWait } = this.#options;
    // A node that replaces itself comes back at once to be provisioned.
    if (outcome === "upgraded") {
      this.#nodes.delete(node);
      return;
    }
    entry.state = "done";
    entry.failures = 0;
    entry.runs++;
    entry.until = clock.now() + tail;
    if (entry.runs <= freeRuns) return;
    const wait = Math.min(firstWait * 2 ** (entry.runs - freeRuns), longestWait);
    logger.warn("A node keeps coming back to be provisioned", { identity: node, runs: entry.runs, wait });
    entry.state = "failed";
    entry.until = clock.now() + wait;
  }

  #fail(node: string, entry: NodeState, error: unknown): void {
    const { clock, logger, metrics, longestWait } = this.#options;
    const reason = errorText(error);
    if (error instanceof CallError && error.fault === "gone") {
      logger.info("A node is gone", { identity: node, reason });
      if (entry.announced) entry.state = "failed";
      else this.#nodes.delete(node);
      return;
    }
    entry.state = "failed";
    if (reason.includes("Could not obtain provisioning lock")) {
      logger.info("A node is in the hands of another provisioner", { identity: node });
      entry.until = clock.now() + firstWait;
      return;
    }
    metrics.count("provision_errors");
    logger.error(`Could not provision ${node}: ${reason}`);
    entry.failures++;
    const wait = error instanceof DeferredError ? longestWait : firstWait * 2 ** (entry.failures - 1);
    entry.until = clock.now() + Math.min(wait, longestWait);
  }

  #report(): void {
    const { metrics } = this.#options;
    metrics.set("busy_workers", this.#working);
    metrics.set("work_queue_entries", this.#queued);
    metrics.set("waiting_nodes", this.#nodes.size);
  }
}

/** Names become part of subjects, and come from nodes that nobody has verified. */
function isNodeName(name: string): boolean {
  return name.length <= 255 && /^[^\s.*>\p{Cc}]+(\.[^\s.*>\p{Cc}]+)*$/u.test(name);
}
