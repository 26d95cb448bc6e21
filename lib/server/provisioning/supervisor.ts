import type { Clock, Logger } from "../../std/mod.ts";
import { errorText } from "../../std/mod.ts";
import type { ServerMode } from "./decision.ts";

/** A server that runs. */
export interface RunningServer {
  /**
   * Leave the network.
   *
   * @param options.quiet Do not announce it: whoever asked for the restart has done so.
   */
  stop(options?: { quiet?: boolean }): Promise<void>;
}

/** How a server that runs asks for its own end. */
export interface ServerControl {
  /** Stop the server and start it again from what is on disk then. */
  restart(reason: string): void;
  /** Stop the server for good. */
  shutdown(reason: string): void;
  /** Aborts when this run of the server is to end; starting gives up then. */
  signal: AbortSignal;
}

/** What {@link superviseServer} works with. */
export interface SupervisorOptions {
  /** Decide what the server is; asked at each start. */
  decide: () => Promise<ServerMode>;
  /**
   * Say why a server that serves has to start again, if it has; asked every {@link SupervisorOptions.checkInterval}
   * while it runs or tries to.
   */
  check: () => string | undefined;
  /** Start the server. Once `control.signal` aborts it may reject, with anything. */
  start: (mode: ServerMode, control: ServerControl) => Promise<RunningServer>;
  clock: Clock;
  logger: Logger;
  /**
   * Milliseconds between checks. The server starts again when two in a row say the same, so that a file which is
   * being written is not taken for a damaged one.
   * @default 10_000
   */
  checkInterval?: number;
  /** Ends everything. */
  signal?: AbortSignal;
}

/** A server under supervision. */
export interface ServerSupervisor extends AsyncDisposable {
  /** What the server is at present. */
  readonly mode: ServerMode["kind"] | undefined;
  /** How often it was started. */
  readonly starts: number;
  /** Resolves when the server has ended for good; rejects when it could not be started again. */
  readonly closed: Promise<void>;
  /** End it. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Keep a server running in this process: decide what it is, start it, and when it asks for it, or its credentials or
 * configuration go bad, stop it, decide anew and start again. The process, and with it its id, stays.
 */
export function superviseServer(options: SupervisorOptions): ServerSupervisor {
  return new Supervisor(options);
}

type Ending = { kind: "restart" | "shutdown"; reason: string; quiet: boolean };

class Supervisor implements ServerSupervisor {
  readonly closed: Promise<void>;
  starts = 0;
  mode: ServerMode["kind"] | undefined;
  readonly #options: SupervisorOptions;
  #end: ((ending: Ending) => void) | undefined;
  #isStopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const onAbort = () => void this.stop();
    options.signal?.addEventListener("abort", onAbort, { once: true });
    if (options.signal?.aborted) this.#isStopping = true;
    this.closed = this.#run().finally(() => {
      this.mode = undefined;
      options.signal?.removeEventListener("abort", onAbort);
    });
    // Whoever waits for the end gets the error; that nobody waits is no reason to crash.
    this.closed.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#end?.({ kind: "shutdown", reason: "the process ends", quiet: false });
    await this.closed.catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const ending = await this.#runOnce(await this.#options.decide());
      if (ending.kind === "shutdown") return;
      this.#options.logger.warn("Restarting the server", { reason: ending.reason });
    }
  }

  async #runOnce(mode: ServerMode): Promise<Ending> {
    const { start, logger } = this.#options;
    const { promise: ended, resolve } = Promise.withResolvers<Ending>();
    const controller = new AbortController();
    this.#end = resolve;
    void ended.then(() => controller.abort());
    if (this.#isStopping) resolve({ kind: "shutdown", reason: "the process ends", quiet: false });
    using _watch = this.#watch(mode, resolve);
    this.mode = mode.kind;
    this.starts++;
    const starting = start(mode, {
      restart: (reason) => resolve({ kind: "restart", reason, quiet: true }),
      shutdown: (reason) => resolve({ kind: "shutdown", reason, quiet: false }),
      signal: controller.signal,
    });
    let server: RunningServer;
    try {
      server = await starting;
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      return ended;
    }
    const ending = await ended;
    try {
      await server.stop({ quiet: ending.quiet });
    } catch (error) {
      logger.error("The server did not stop in good order", { reason: errorText(error) });
    }
    return ending;
  }

  /** Only a server that serves can fall back into provisioning. */
  #watch(mode: ServerMode, end: (ending: Ending) => void): Disposable {
    const { clock, check, checkInterval = 10_000 } = this.#options;
    if (mode.kind !== "provisioned" || mode.settings === undefined) return { [Symbol.dispose]() {} };
    let last: string | undefined;
    return clock.every(checkInterval, () => {
      const reason = check();
      if (reason !== undefined && reason === last) end({ kind: "restart", reason, quiet: false });
      last = reason;
    });
  }
}
