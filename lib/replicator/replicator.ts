import { hostname } from "node:os";
import type { Connection } from "../connector/mod.ts";
import { type Clock, errorText, type Logger, serveMetrics, systemClock } from "../std/mod.ts";
import type { Election } from "../streams/mod.ts";
import { stand } from "./candidacy.ts";
import type { HeartbeatSettings, ReplicatorConfig } from "./config.ts";
import { connectEndpoint } from "./endpoint.ts";
import { type RunningEntry, startEntry } from "./entry.ts";
import { startHeartbeats } from "./heartbeat.ts";
import { ReplicatorMetrics } from "./metrics.ts";

/** What {@link startReplicator} needs. */
export interface ReplicatorOptions {
  config: ReplicatorConfig;
  logger: Logger;
  /** @default systemClock */
  clock?: Clock;
}

/** A replicator that runs. */
export interface ReplicatorHandle extends AsyncDisposable {
  readonly metrics: ReplicatorMetrics;
  /** Port of the metrics; 0 for none. */
  readonly monitorPort: number;
  /** Resolves once nothing is left to do: every entry has failed. Gives how many did. */
  readonly ended: Promise<number>;
  /** Finish what is under way and stop. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Copy all streams of a configuration and send its heartbeats. Servers and streams that are not there are waited for;
 * an entry that cannot work as it is configured ends alone.
 *
 * @throws the system's error when the port of the metrics is taken.
 */
export function startReplicator(options: ReplicatorOptions): ReplicatorHandle {
  return new Replicator(options);
}

class Replicator implements ReplicatorHandle {
  readonly metrics = new ReplicatorMetrics();
  readonly monitorPort: number;
  readonly ended: Promise<number>;
  readonly #config: ReplicatorConfig;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  readonly #stack = new AsyncDisposableStack();
  readonly #entries: RunningEntry[] = [];
  readonly #starting: Promise<boolean>[];
  readonly #heartbeats: Promise<void>;
  #stopped: Promise<void> | undefined;

  constructor({ config, logger, clock = systemClock }: ReplicatorOptions) {
    this.#config = config;
    this.#logger = logger;
    this.#clock = clock;
    this.monitorPort = this.#serve();
    this.#starting = config.entries.map((entry) => this.#startEntry(entry));
    this.#heartbeats = config.heartbeats === undefined ? Promise.resolve() : this.#beat(config.heartbeats);
    this.ended = this.#end();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #serve(): number {
    const { monitorPort, monitorAddress } = this.#config;
    if (monitorPort <= 0) {
      this.#logger.info("Skipping Prometheus setup");
      return 0;
    }
    const server = serveMetrics(() => this.metrics.text(), monitorPort, monitorAddress);
    this.#stack.use(server);
    this.#logger.info(`Listening for /metrics on ${server.port}`);
    return server.port;
  }

  /** Whether the entry runs. */
  async #startEntry(entry: ReplicatorConfig["entries"][number]): Promise<boolean> {
    const { name: replicator, stateStore } = this.#config;
    const { metrics } = this;
    this.#logger.debug(`Configuring stream ${entry.name}`);
    const shared = { clock: this.#clock, logger: this.#logger, signal: this.#stopping.signal };
    try {
      this.#entries.push(await startEntry({ entry, replicator, stateStore, metrics, ...shared }));
      return true;
    } catch (error) {
      if (!this.#stopping.signal.aborted) {
        this.#logger.error(`Could not start replicator for ${entry.name}: ${errorText(error)}`);
      }
      return false;
    }
  }

  async #beat(settings: HeartbeatSettings): Promise<void> {
    const { name: replicator } = this.#config;
    const shared = { clock: this.#clock, logger: this.#logger };
    try {
      const { connection } = await connectEndpoint(settings, {
        ...shared,
        name: "subject-heartbeats",
        signal: this.#stopping.signal,
      });
      let isPaused = settings.leaderElection;
      const paused = this.metrics.gauge("heartbeat_paused", { replicator, hostname: hostname() });
      const lead = (isLeader: boolean) => {
        isPaused = !isLeader;
        paused(isPaused ? 1 : 0);
      };
      this.#stack.use(connection);
      if (settings.leaderElection) this.#stack.use(this.#standForHeartbeats(connection, lead));
      const { metrics } = this;
      this.#stack.use(
        startHeartbeats({ settings, connection, replicator, metrics, ...shared, isPaused: () => isPaused }),
      );
    } catch (error) {
      if (!this.#stopping.signal.aborted) {
        this.#logger.error(`Could not start heartbeats: ${errorText(error)}`);
        throw error;
      }
    }
  }

  #standForHeartbeats(connection: Connection, lead: (isLeader: boolean) => void): Election {
    return stand({
      connection,
      election: `SR_${this.#config.name}_HB`,
      identity: hostname(),
      replicator: "unknown",
      metrics: this.metrics,
      clock: this.#clock,
      logger: this.#logger,
      onWon: () => lead(true),
      onLost: () => lead(false),
    });
  }

  async #end(): Promise<number> {
    const running = await Promise.all(this.#starting);
    const hasHeartbeats =
      this.#config.heartbeats !== undefined &&
      (await this.#heartbeats.then(
        () => true,
        () => false,
      ));
    const failed = running.filter((isRunning) => !isRunning).length;
    if (running.includes(true) || hasHeartbeats) await new Promise<never>(() => undefined);
    return failed;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#starting);
    await this.#heartbeats.catch(() => undefined);
    await Promise.all(this.#entries.map((entry) => entry.stop()));
    await this.#stack.disposeAsync();
  }
}
