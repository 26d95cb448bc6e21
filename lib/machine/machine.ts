import { randomUUID } from "node:crypto";
import { errorText, type Logger } from "../std/mod.ts";
import { createContext, type MachineControls } from "./context.ts";
import { type MachineData, openMachineData } from "./data.ts";
import { type MachineEvent, machineEventData, type WatcherEvent } from "./events.ts";
import { TransitionLimiter } from "./limiter.ts";
import type { Manifest, ManifestWatcher } from "./manifest.ts";
import { type MachineState, neverStarted } from "./state.ts";
import type { MachineNode, WatchedMachine, Watcher, WatcherKind } from "./watcher.ts";
import { watcherKind } from "./watchers/registry.ts";

/** What a machine knows of the others on its node. */
export interface MachinePeers {
  /** State of the machine of a name; undefined where there is none. */
  stateOf(name: string): string | undefined;
  /** A machine, which may be this one, has made a transition. */
  transitioned(machine: string, event: string): void;
}

/** What a {@link Machine} is made of. */
export interface MachineOptions {
  readonly manifest: Manifest;
  /** Absolute path of its folder, which exists. */
  readonly folder: string;
  readonly node: MachineNode;
  readonly peers: MachinePeers;
  readonly logger: Logger;
  /** Told of each event, with its line for people, as it is published. */
  readonly onEvent?: (event: MachineEvent, text: string) => void;
  /** Finds a kind of watcher. */
  readonly kinds?: (type: string) => Promise<WatcherKind>;
  /** Sends an event to the network. */
  readonly publish: (event: MachineEvent) => void;
}

interface RunningWatcher {
  readonly definition: ManifestWatcher;
  readonly watcher: Watcher;
  readonly logger: Logger;
  isTold: boolean;
}

/** Most transitions that may wait for their turn; what comes beyond is refused, and logged. */
const maxWaiting = 100;

/** How long watchers may take to clean up, in milliseconds. */
const cleaningTime = 5_000;

/** One state machine with its watchers. */
export class Machine implements WatchedMachine {
  readonly name: string;
  readonly version: string;
  readonly id = randomUUID();
  readonly folder: string;
  readonly node: MachineNode;
  readonly data: MachineData;
  readonly manifest: Manifest;
  readonly #options: MachineOptions;
  readonly #logger: Logger;
  readonly #limiter: TransitionLimiter;
  /** By state, then by event, the state that follows. */
  readonly #moves: ReadonlyMap<string, ReadonlyMap<string, string>>;
  #running = new AbortController();
  #watchers: ReadonlyMap<string, RunningWatcher> = new Map();
  #state: string;
  #startTime = neverStarted;
  #isStarting = false;
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: MachineOptions) {
    const { manifest, folder, node } = options;
    this.#options = options;
    this.manifest = manifest;
    this.name = manifest.name;
    this.version = manifest.version;
    this.folder = folder;
    this.node = node;
    this.#logger = options.logger.child({ machine: manifest.name });
    this.data = openMachineData(folder, this.#logger);
    this.#limiter = new TransitionLimiter(() => node.clock.now(), node.random);
    this.#moves = movesOf(manifest);
    this.#state = manifest.initialState;
  }

  get state(): string {
    return this.#state;
  }

  /** Whether it runs, or is about to. */
  get isStarted(): boolean {
    return this.#isStarting || this.#startTime !== neverStarted;
  }

  /**
   * Wait out the splay, make the watchers and start them. May be tried again after a failure.
   *
   * @throws {Error} `could not create TYPE watcher 'W': …`, `unknown watcher 'TYPE'` or `watcher W already exist`.
   */
  async start(): Promise<void> {
    if (this.isStarted || this.#running.signal.aborted) return;
    this.#isStarting = true;
    try {
      const { node, manifest } = this;
      const { signal } = this.#running;
      const splay = Math.floor(node.random() * manifest.splayStart) * 1_000;
      if (splay > 0) await node.clock.sleep(splay, signal);
      const watchers = await this.#createWatchers();
      if (signal.aborted) return;
      this.#watchers = watchers;
      this.#startTime = Math.floor(node.clock.now() / 1_000);
      for (const running of watchers.values()) this.#begin(running);
    } finally {
      this.#isStarting = false;
    }
  }

  /** Stop the watchers and what they run. Final. */
  stop(): void {
    this.#running.abort();
  }

  /** Stop for good: the folder is gone, so watchers take away what they have left elsewhere. */
  async delete(): Promise<void> {
    const cleaning = [...this.#watchers.values()].map(async ({ watcher, logger }) => {
      try {
        await watcher.deleted?.();
      } catch (error) {
        logger.error("A watcher could not clean up", { reason: errorText(error) });
      }
    });
    const { signal } = this.#running;
    await Promise.race([Promise.all(cleaning), this.node.clock.sleep(cleaningTime, signal)]);
    this.stop();
  }

  /** Whether the state allows a transition. */
  can(event: string): boolean {
    return this.#moves.get(this.#state)?.has(event) ?? false;
  }

  /** Fire a transition in its turn, slowed down where there are too many. One that the state does not allow is logged. */
  fire(event: string): Promise<void> {
    if (event === "" || this.#running.signal.aborted) return Promise.resolve();
    if (this.#waiting >= maxWaiting) {
      this.#logger.warn("Too many transitions wait, so one is dropped", { transition: event });
      return Promise.resolve();
    }
    this.#waiting++;
    this.#turn = this.#turn.then(() => this.#take(event)).finally(() => this.#waiting--);
    return this.#turn;
  }

  /** Fire a transition that the state allows at once: what an operator asks for does not wait for what watchers do. */
  fireNow(event: string): void {
    this.#limiter.next();
    this.#move(event);
  }

  /** Fire what subscribes to a transition of another machine. */
  heard(machine: string, event: string): void {
    for (const { name, subscribe } of this.manifest.transitions) {
      const isMeant = subscribe.some((wanted) => wanted.machine === machine && wanted.event === event);
      if (isMeant) void this.fire(name);
    }
  }

  /** What it is and does now. */
  snapshot(): MachineState {
    const check = [...this.#watchers.values()].find(({ definition }) => definition.type === "nagios");
    const current = check === undefined ? undefined : this.#eventOf(check)?.event;
    return {
      name: this.name,
      version: this.version,
      state: this.#state,
      path: this.folder,
      id: this.id,
      startTime: this.#startTime,
      availableTransitions: [...(this.#moves.get(this.#state)?.keys() ?? [])].sort(),
      scout: this.manifest.watchers.some(({ type }) => type === "nagios"),
      ...(current === undefined ? {} : { currentState: machineEventData(current) }),
    };
  }

  /** The watcher of a name, where it runs. */
  watcher(name: string): Watcher | undefined {
    return this.#watchers.get(name)?.watcher;
  }

  async #take(event: string): Promise<void> {
    const { signal } = this.#running;
    if (signal.aborted || !this.#isAllowed(event)) return;
    const wait = this.#limiter.next();
    if (wait > 0) {
      this.#logger.info("Transitions follow each other too closely, so one waits", { transition: event, ms: wait });
      await this.node.clock.sleep(wait, signal);
      if (signal.aborted || !this.#isAllowed(event)) return;
    }
    this.#move(event);
  }

  #isAllowed(event: string): boolean {
    if (this.can(event)) return true;
    this.#logger.warn(`Could not fire '${event}' event while in ${this.#state}`);
    return false;
  }

  /** Peers rely on this order: the state, the other machines, the watchers, the network. */
  #move(event: string): void {
    const from = this.#state;
    const to = this.#moves.get(from)?.get(event);
    if (to === undefined || to === from) return;
    this.#state = to;
    const text = `${this.name} transitioned via event ${event}: from ${from} into ${to}`;
    this.#logger.info(text);
    this.#options.peers.transitioned(this.name, event);
    for (const running of this.#watchers.values()) this.#tell(running);
    this.#publish({ kind: "transition", ...this.#head(), transition: event, from, to }, text);
  }

  /** Changes that come before a watcher has been told of the last one merge. */
  #tell(running: RunningWatcher): void {
    if (running.isTold) return;
    running.isTold = true;
    queueMicrotask(() => {
      running.isTold = false;
      if (this.#running.signal.aborted) return;
      contain(running.logger, () => running.watcher.stateChanged());
    });
  }

  async #createWatchers(): Promise<Map<string, RunningWatcher>> {
    const watchers = new Map<string, RunningWatcher>();
    for (const definition of this.manifest.watchers) {
      const { name, type } = definition;
      if (watchers.has(name)) throw new Error(`watcher ${name} already exist`);
      const kind = await (this.#options.kinds ?? watcherKind)(type);
      const logger = this.#logger.child({ watcher: name });
      const context = createContext(this, definition, this.#controls(name, logger));
      try {
        if (definition.fault !== undefined) throw new Error(definition.fault);
        watchers.set(name, { definition, watcher: kind.create(context), logger, isTold: false });
      } catch (error) {
        throw new Error(`could not create ${type} watcher '${name}': ${errorText(error)}`, { cause: error });
      }
    }
    return watchers;
  }

  #controls(name: string, logger: Logger): MachineControls {
    return {
      signal: this.#running.signal,
      logger,
      fire: (event) => this.fire(event),
      announce: () => this.#announce(name),
      stateOf: (machine) => this.#options.peers.stateOf(machine),
    };
  }

  #begin(running: RunningWatcher): void {
    const { definition, watcher, logger } = running;
    contain(logger, () => watcher.start());
    const { announceInterval } = definition;
    if (announceInterval <= 0) return;
    const ticker = this.node.clock.every(announceInterval, () => this.#announce(definition.name));
    this.#running.signal.addEventListener("abort", () => ticker[Symbol.dispose](), { once: true });
  }

  #announce(name: string): void {
    const running = this.#watchers.get(name);
    if (running === undefined || this.#running.signal.aborted) return;
    const found = this.#eventOf(running);
    if (found !== undefined) this.#publish(found.event, found.text);
  }

  #eventOf({ definition, watcher, logger }: RunningWatcher): { event: WatcherEvent; text: string } | undefined {
    return contain(logger, () => {
      const { fields, text } = watcher.snapshot();
      const { name, type } = definition;
      return { event: { kind: "watcher", ...this.#head(), type, name, fields }, text };
    });
  }

  #head() {
    const { id, version, name: machine, node } = this;
    return { identity: node.identity, id, version, timestamp: Math.floor(node.clock.now() / 1_000), machine };
  }

  #publish(event: MachineEvent, text: string): void {
    contain(this.#logger, () => {
      this.#options.publish(event);
      this.#options.onEvent?.(event, text);
    });
  }
}

/** A watcher that throws harms nobody else. */
function contain<T>(logger: Logger, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    logger.error("A watcher failed", { reason: errorText(error) });
    return undefined;
  }
}

function movesOf({ transitions }: Manifest): Map<string, Map<string, string>> {
  const moves = new Map<string, Map<string, string>>();
  for (const { name, from, destination } of transitions) {
    for (const state of from) {
      const events = moves.get(state) ?? new Map<string, string>();
      moves.set(state, events.set(name, destination));
    }
  }
  return moves;
}
