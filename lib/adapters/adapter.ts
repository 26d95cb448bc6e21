import type { Connection } from "../connector/mod.ts";
import type { Trust } from "../security/mod.ts";
import type { Clock, Logger } from "../std/mod.ts";
import { AdapterCounts, type CountedAdapter } from "./counts.ts";
import { Ingest } from "./ingest.ts";
import { replyIntake, requestIntake } from "./intake.ts";
import { Outlet } from "./outlet.ts";
import type { AdapterSettings } from "./settings.ts";

/** What tells of a connection's state. */
export type StateListener = (state: "connected" | "disconnected" | "closed") => void;

/** What an adapter works with. */
export interface AdapterOptions {
  /** Makes a connection of a name. */
  connect: (name: string, onState: StateListener) => Promise<Connection>;
  /** Prefix of the connections' inboxes, without a final dot. */
  inboxPrefix: string;
  trust: Trust;
  clock: Clock;
  logger: Logger;
}

/** A running adapter. */
export interface Adapter extends CountedAdapter {
  /** Resolves when the broker, which has come back, knows again what is taken in, or after `patience` milliseconds. */
  flush(patience: number): Promise<void>;
  /** Take no more, publish what was taken, and end. Idempotent. */
  stop(): Promise<void>;
}

/** How long what was taken in may take to be published at the end, in milliseconds. */
const stopGrace = 5_000;

/**
 * Start an adapter: the end that gives out, then the one that takes in.
 *
 * @returns when the broker knows what is taken in.
 * @throws {Error} when there is no connection to be had.
 */
export async function startAdapter(settings: AdapterSettings, options: AdapterOptions): Promise<Adapter> {
  const adapter = new RunningAdapter(settings, options);
  try {
    await adapter.start();
  } catch (error) {
    await adapter.stop();
    throw error;
  }
  return adapter;
}

class RunningAdapter implements Adapter {
  readonly name: string;
  readonly counts: AdapterCounts;
  readonly #settings: AdapterSettings;
  readonly #options: AdapterOptions;
  readonly #logger: Logger;
  readonly #connections: Connection[] = [];
  #outlet: Outlet | undefined;
  #ingest: Ingest | undefined;
  #stopped: Promise<void> | undefined;

  constructor(settings: AdapterSettings, options: AdapterOptions) {
    this.name = settings.name;
    this.#settings = settings;
    this.#options = options;
    this.#logger = options.logger.child({ adapter: settings.name });
    this.counts = new AdapterCounts({ input: settings.ingest.workers, output: settings.stream.workers });
  }

  get queue(): { length: number; capacity: number } {
    return this.#outlet?.queue ?? { length: 0, capacity: this.#settings.queueLength };
  }

  async start(): Promise<void> {
    const { name, queueLength, ingest, stream } = this.#settings;
    const { trust, clock, inboxPrefix } = this.#options;
    const common = { clock, logger: this.#logger };
    const connection = await this.#connect(`${name}_0-${crypto.randomUUID().replaceAll("-", "")}`, (state) => {
      if (state === "connected") this.#outlet?.resume();
    });
    this.#outlet = new Outlet({ ...common, connection, inboxPrefix, queueLength, counts: this.counts.output });
    const intakeOptions = { trust, clock, clients: ingest.clients, acceptUnverified: ingest.acceptUnverified };
    this.#ingest = new Ingest({
      ...common,
      settings: this.#settings,
      connection: await this.#connect(`choria adapter ${name}.0`, () => {}),
      intake: ingest.protocol === "request" ? requestIntake(intakeOptions) : replyIntake(intakeOptions),
      deliver: (document) => this.#outlet?.deliver(document) ?? false,
      counts: this.counts.input,
    });
    await this.#ingest.start();
    this.#logger.info("Data adapter is ready", {
      ingest: ingest.topic,
      protocol: ingest.protocol,
      stream: stream.topic,
    });
  }

  async flush(patience: number): Promise<void> {
    const { clock } = this.#options;
    const end = clock.now() + patience;
    const isDown = () => this.#connections.some(({ server }) => server === "");
    while (isDown() && clock.now() < end) await clock.sleep(10);
    const flushed = this.#connections.map((connection) => connection.flush().catch(() => undefined));
    await Promise.race([Promise.all(flushed), clock.sleep(Math.max(0, end - clock.now()))]);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await this.#ingest?.stop();
    await this.#outlet?.stop(stopGrace);
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  async #connect(name: string, onState: StateListener): Promise<Connection> {
    const connection = await this.#options.connect(name, onState);
    this.#connections.push(connection);
    return connection;
  }
}
