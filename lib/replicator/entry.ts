import type { Connection } from "../connector/mod.ts";
import { type Clock, errorText, type JsonObject, type Logger } from "../std/mod.ts";
import type { Election } from "../streams/mod.ts";
import { askApi, sectionOf } from "./_api.ts";
import { stand } from "./candidacy.ts";
import type { EntrySettings } from "./config.ts";
import type { Copier, CopierOptions } from "./copier.ts";
import { connectEndpoint, type EndpointConnection } from "./endpoint.ts";
import { Limiter } from "./limiter.ts";
import { entryMetrics, type ReplicatorMetrics } from "./metrics.ts";
import { consumerName } from "./source_consumer.ts";
import { SourceCopier } from "./source_copier.ts";
import { adoptTarget, awaitStream } from "./streams.ts";
import { TargetCopier } from "./target_copier.ts";

/** What {@link startEntry} needs. */
export interface EntryOptions {
  entry: EntrySettings;
  /** Name of the replicator. */
  replicator: string;
  /** Folder of the state files; empty for none. */
  stateStore: string;
  metrics: ReplicatorMetrics;
  clock: Clock;
  logger: Logger;
  /** Ends the waiting for servers and streams. */
  signal: AbortSignal;
}

/** A stream that is being copied. */
export interface RunningEntry {
  /** Finish what is under way and stop. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Connect to both sides, wait for the source stream, have the target stream, and copy.
 *
 * @throws {Error} when the entry cannot work as it is configured, or `signal` aborts.
 */
export async function startEntry(options: EntryOptions): Promise<RunningEntry> {
  checkNames(options.entry);
  const running = new Entry(options);
  try {
    await running.start();
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** Names become parts of subjects and of file names. */
function checkNames({ stream, name, targetStream }: EntrySettings): void {
  for (const [what, text] of [
    ["stream", stream],
    ["target_stream", targetStream],
    ["name", name],
  ] as const) {
    if (/[\s.*>/\\]/.test(text)) {
      throw new Error(`Cannot use the ${what} "${text}": it must hold neither white space nor any of . * > / \\`);
    }
  }
}

class Entry implements RunningEntry {
  readonly #options: EntryOptions;
  readonly #logger: Logger;
  readonly #connections: Connection[] = [];
  #copier: Copier | undefined;
  #limiter: Limiter | undefined;
  #election: Election | undefined;
  #isPaused = false;

  constructor(options: EntryOptions) {
    this.#options = options;
    const { entry, logger } = options;
    this.#logger = logger.child({ source: entry.stream, target: entry.targetStream });
  }

  async start(): Promise<void> {
    const { entry, clock, signal } = this.#options;
    const source = await this.#source();
    const waiting = { clock, signal };
    const sourceLog = this.#logger.child({ connection: "source" });
    const sourceStream = await awaitStream(entry.stream, {
      ...waiting,
      nats: source.connection.nats,
      logger: sourceLog,
    });
    const target = await this.#target();
    const targetLog = this.#logger.child({ connection: "target" });
    const nats = target.connection.nats;
    const targetStream = entry.noTargetCreate
      ? await existing(nats, entry.targetStream)
      : await adoptTarget(sourceStream, entry, { ...waiting, nats, logger: targetLog });
    this.#isPaused = entry.leaderElectionName !== "";
    this.#limiter = await this.#startLimiter();
    this.#copier = this.#startCopier(source, target, sourceStream, targetStream);
    if (this.#isPaused) this.#stand(source.connection);
  }

  async stop(): Promise<void> {
    await this.#copier?.stop();
    await this.#limiter?.stop();
    // Only now may somebody else go on: nothing of ours is under way any more.
    await this.#election?.stop();
    await Promise.all(this.#connections.splice(0).map((connection) => connection.close()));
    this.#logger.info("Exiting on context interrupt");
  }

  async #source(): Promise<EndpointConnection> {
    const { sourceUrl: url, sourceTls: tls, sourceChoria: choria } = this.#options.entry;
    return await this.#connect("source", { url, tls, choria });
  }

  async #target(): Promise<EndpointConnection> {
    const { targetUrl: url, targetTls: tls, targetChoria: choria } = this.#options.entry;
    return await this.#connect("target", { url, tls, choria });
  }

  async #connect(
    side: "source" | "target" | "advisories",
    endpoint: Parameters<typeof connectEndpoint>[0],
  ): Promise<EndpointConnection> {
    const { entry, clock, signal } = this.#options;
    const name = side === "advisories" ? "stream-replicator-advisories" : entry.stream;
    const logger = this.#logger.child({ connection: side });
    try {
      const connected = await connectEndpoint(endpoint, {
        name,
        clock,
        logger,
        signal,
        onState: (state) => {
          if (state === "disconnected" && side !== "advisories") this.#copier?.disconnected(side);
        },
      });
      this.#connections.push(connected.connection);
      return connected;
    } catch (error) {
      throw new Error(`${side} connection failed: ${signal.aborted ? "context canceled" : errorText(error)}`, {
        cause: error,
      });
    }
  }

  async #startLimiter(): Promise<Limiter | undefined> {
    const { entry, replicator, stateStore, metrics, clock } = this.#options;
    const isInspected = entry.inspectField !== "" || entry.inspectHeader !== "" || entry.inspectSubjectToken !== 0;
    if (!isInspected || entry.inspectDuration <= 0 || entry.targetInitiated) return undefined;
    const { sourceUrl: url, sourceTls: tls, sourceChoria: choria } = entry;
    const connection =
      entry.advisory === undefined ? undefined : (await this.#connect("advisories", { url, tls, choria })).connection;
    return new Limiter({
      entry,
      replicator,
      consumer: consumerName(entry.name),
      stateStore,
      connection,
      metrics,
      clock,
      logger: this.#logger,
      isPaused: () => this.#isPaused,
    });
  }

  #startCopier(
    source: EndpointConnection,
    target: EndpointConnection,
    sourceStream: JsonObject,
    targetStream: JsonObject | undefined,
  ): Copier {
    const { entry, replicator, metrics, clock } = this.#options;
    const fields = entry.targetInitiated
      ? { copier: "target_initiated" }
      : { copier: "source_initiated", consumer: consumerName(entry.name) };
    const options: CopierOptions = {
      entry,
      replicator,
      source,
      target,
      sourceStream,
      targetStream,
      limiter: this.#limiter,
      metrics: entryMetrics(metrics, { stream: entry.stream, replicator, worker: entry.name }),
      clock,
      logger: this.#logger.child(fields),
      isActive: !this.#isPaused,
    };
    return entry.targetInitiated ? new TargetCopier(options) : new SourceCopier(options);
  }

  #stand(connection: Connection): void {
    const { entry, replicator, metrics, clock } = this.#options;
    const { name, stream, leaderElectionName: identity } = entry;
    this.#logger.info(`Set up leader election ${consumerName(name)} using candidate name ${identity}`);
    this.#election = stand({
      connection,
      election: `SR_${name}_${stream}`,
      identity,
      replicator,
      metrics,
      clock,
      logger: this.#logger,
      onWon: () => this.#lead(true),
      onLost: () => this.#lead(false),
    });
  }

  #lead(isLeader: boolean): void {
    this.#isPaused = !isLeader;
    if (isLeader) this.#copier?.resume();
    else this.#copier?.pause();
  }
}

/** What is known of a stream that nobody is to make: it may not exist, and may not be ours to look at. */
async function existing(nats: Connection["nats"], stream: string): Promise<JsonObject | undefined> {
  try {
    return sectionOf(await askApi(nats, `STREAM.INFO.${stream}`), "config");
  } catch {
    return undefined;
  }
}
