import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../crypto/mod.ts";
import { backoff, type Clock, errorText, formatDuration, type Logger, writeFileAtomic } from "../std/mod.ts";
import { type ChildPorts, NatsChild } from "./_nats_child.ts";
import { endStaleChild, recordChild } from "./_stale_child.ts";
import { type BrokerPorts, portsFolder } from "./nats_config.ts";

/** What {@link NatsSupervisor} needs. */
export interface SupervisorOptions {
  /** Path of nats-server. */
  program: string;
  /** Folder of the streams, beside which the configuration lies; empty for a temporary one. */
  store: string;
  /** Files that nats-server reads besides its configuration: a new certificate is a reason to read anew. */
  files: readonly string[];
  /** Text of files by their name, which lie beside the configuration, for this user only, while nats-server runs. */
  privateFiles?: Readonly<Record<string, string>>;
  /** Time nats-server has to end in good order, in milliseconds. */
  grace: number;
  logger: Logger;
  clock: Clock;
}

/** What the text of a configuration depends on besides our own. */
export interface RunState {
  /** Folder of the run, for this user only. */
  folder: string;
  /** Nobody answers logins yet. */
  isStarting: boolean;
  /** From the second run on: the ports, which must stay what they were. */
  ports?: BrokerPorts;
}

/** Makes the text of a configuration. */
export type ConfigWriter = (state: RunState) => string;

/** Waits between runs that end by themselves. */
const restartSteps = [100, 250, 500, 1_000, 2_000, 5_000];
/** A run of this length was a good one: the next wait is a short one again. */
const goodRun = 30_000;

/** Keeps a nats-server running: starts it, starts it anew when it dies, and takes it along at the end. */
export class NatsSupervisor {
  readonly #options: SupervisorOptions;
  readonly #folder: string;
  readonly #stopping = new AbortController();
  #write: ConfigWriter;
  #child: NatsChild | undefined;
  #ports: ChildPorts | undefined;
  #isStarting = true;
  /** Digest of everything that nats-server was last told. */
  #seen = "";
  #restarts = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(write: ConfigWriter, options: SupervisorOptions) {
    this.#write = write;
    this.#options = options;
    this.#folder = options.store === "" ? mkdtempSync(join(tmpdir(), "choria-broker-")) : join(options.store, "broker");
  }

  /** Ports of the present run, or of the last one. */
  get ports(): ChildPorts | undefined {
    return this.#ports;
  }

  /** Process id of nats-server; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.isRunning ? this.#child.pid : undefined;
  }

  /** How often nats-server had to be started anew. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Start nats-server and wait until it listens.
   *
   * @throws {Error} with what nats-server has to say when it does not come up.
   */
  async start(): Promise<ChildPorts> {
    mkdirSync(this.#portsFolder, { recursive: true, mode: 0o700 });
    await endStaleChild(this.#recordFile, this.#options.logger, this.#options.clock);
    for (const [name, text] of Object.entries(this.#options.privateFiles ?? {})) {
      writeFileAtomic(join(this.#folder, name), text, { mode: 0o600 });
    }
    const child = this.#spawn();
    const ports = await child.ports();
    if (ports === undefined) {
      this.#cleanUp();
      throw new Error(`Cannot start the broker: nats-server ended with ${child.exit}: ${child.errors.join("; ")}`);
    }
    this.#ports = ports;
    this.#loop = this.#keepRunning(child);
    return ports;
  }

  /**
   * Tell nats-server that logins are being answered from now on. Every run begins without.
   *
   * @throws {Error} when nats-server ends meanwhile.
   */
  async serve(): Promise<void> {
    this.#isStarting = false;
    this.#writeConfig();
    await this.#child?.reload();
  }

  /**
   * Write another configuration and have nats-server read it, if anything in it changed: nats-server closes every
   * connection when it does, and has them come back.
   *
   * @returns whether it was read.
   * @throws {Error} when nats-server cannot use it; the present one then stays.
   */
  async reload(write: ConfigWriter): Promise<boolean> {
    const [before, seen] = [this.#write, this.#seen];
    this.#write = write;
    try {
      this.#writeConfig();
      if (this.#seen === seen) return false;
      await this.#child?.reload();
      return true;
    } catch (error) {
      this.#write = before;
      this.#writeConfig();
      throw error;
    }
  }

  /** End nats-server and remove what was written for it. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#child?.stop(this.#options.grace);
    await this.#loop;
    this.#cleanUp();
  }

  async #keepRunning(first: NatsChild): Promise<void> {
    const { clock, logger } = this.#options;
    const waits = backoff(restartSteps);
    let failures = 0;
    let started = clock.now();
    for (let child: NatsChild | undefined = first; ; child = this.#spawnAgain()) {
      await this.#untilEnded(child);
      if (this.#stopping.signal.aborted) return;
      failures = clock.now() - started > goodRun ? 0 : failures + 1;
      const wait = waits.delay(Math.max(failures - 1, 0));
      const exit = child?.exit ?? "not started";
      logger.error("nats-server ended and is started anew", { exit, wait: formatDuration(wait) });
      await clock.sleep(wait, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      this.#restarts++;
      started = clock.now();
    }
  }

  async #untilEnded(child: NatsChild | undefined): Promise<void> {
    const ports = await child?.ports();
    if (ports !== undefined) this.#ports = ports;
    await child?.ended;
  }

  /** What keeps it from starting, a full disk for example, may pass. */
  #spawnAgain(): NatsChild | undefined {
    try {
      return this.#spawn();
    } catch (error) {
      this.#options.logger.error("nats-server cannot be started", { reason: errorText(error) });
      return undefined;
    }
  }

  #spawn(): NatsChild {
    const { program, logger, clock } = this.#options;
    this.#isStarting = true;
    mkdirSync(this.#portsFolder, { recursive: true, mode: 0o700 });
    this.#writeConfig();
    const child = new NatsChild({
      program,
      configFile: this.#configFile,
      portsFolder: this.#portsFolder,
      logger: logger.child({ component: "nats-server" }),
      clock,
    });
    this.#child = child;
    this.#record(child);
    return child;
  }

  /** Only a broker that is killed needs the record. */
  #record({ pid }: NatsChild): void {
    try {
      recordChild(this.#recordFile, pid, this.#configFile);
    } catch (error) {
      this.#options.logger.warn("The process id of nats-server cannot be written down", { reason: errorText(error) });
    }
  }

  #writeConfig(): void {
    const ports = this.#ports;
    const state = { folder: this.#folder, isStarting: this.#isStarting };
    const text = this.#write(ports === undefined ? state : { ...state, ports });
    writeFileAtomic(this.#configFile, text, { mode: 0o600 });
    this.#seen = sha256Hex([text, ...this.#options.files.map((file) => readFileSync(file, "utf8"))].join("\n"));
  }

  #cleanUp(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #configFile(): string {
    return join(this.#folder, "nats.conf");
  }

  get #portsFolder(): string {
    return join(this.#folder, portsFolder);
  }

  get #recordFile(): string {
    return join(this.#folder, "nats-server.json");
  }
}
