import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, isStringList, type Logger, parseObject } from "../std/mod.ts";
import type { BrokerPorts } from "./nats_config.ts";
import { forwardNatsLog, type NatsLogLine } from "./nats_log.ts";

/** How {@link NatsChild} is started. */
export interface ChildOptions {
  /** Path of nats-server. */
  program: string;
  configFile: string;
  /** Where nats-server writes which ports it listens on. */
  portsFolder: string;
  logger: Logger;
  clock: Clock;
}

/** Ports of a running nats-server. */
export interface ChildPorts extends BrokerPorts {
  /** Of its own statistics, on 127.0.0.1. */
  monitor: number;
}

const keptErrors = 5;

/** One run of nats-server, from its start to its end. */
export class NatsChild {
  readonly pid: number;
  /** Resolves when it has ended and everything it logged is passed on. */
  readonly ended: Promise<void>;
  readonly #child: Bun.Subprocess;
  readonly #options: ChildOptions;
  readonly #errors: string[] = [];
  #isRunning = true;
  #reloading: PromiseWithResolvers<void> | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
    const child = Bun.spawn([...withParent(), options.program, "-c", options.configFile], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      // A Ctrl-C is meant for the broker, which ends its nats-server in its own time.
      detached: true,
    });
    this.#child = child;
    this.pid = child.pid;
    const log = forwardNatsLog(child.stderr, options.logger, (line) => this.#onLine(line));
    this.ended = Promise.all([child.exited, log]).then(() => {
      this.#isRunning = false;
      this.#reloading?.reject(new Error(`nats-server ended with ${this.exit}`));
    });
  }

  /** Whether it has not ended. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** How it ended, for the log. */
  get exit(): string {
    return String(this.#child.signalCode ?? `exit code ${this.#child.exitCode}`);
  }

  /** The last errors that it logged, what it said before it could log among them. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** The ports it listens on, once it does; undefined when it ended instead. */
  async ports(): Promise<ChildPorts | undefined> {
    while (this.#isRunning) {
      const ports = readPorts(this.#options.portsFolder, this.pid);
      if (ports !== undefined) return ports;
      await this.#options.clock.sleep(10);
    }
    return undefined;
  }

  /**
   * Have it read its configuration anew, and wait until it has.
   *
   * @throws {Error} with its reason when it cannot use the configuration, and keeps the old one.
   */
  async reload(): Promise<void> {
    await this.#reloading?.promise.catch(() => undefined);
    if (!this.#isRunning) throw new Error("nats-server is not running");
    this.#reloading = Promise.withResolvers();
    this.#child.kill("SIGHUP");
    await this.#reloading.promise.finally(() => {
      this.#reloading = undefined;
    });
  }

  /** End it, in good order within `grace` milliseconds. */
  async stop(grace: number): Promise<void> {
    if (!this.#isRunning) return;
    this.#child.kill("SIGTERM");
    using _forced = this.#options.clock.after(grace, () => this.#child.kill("SIGKILL"));
    await this.ended;
  }

  #onLine({ level, message, isBare }: NatsLogLine): void {
    if ((level === "error" || isBare) && this.#errors.push(message) > keptErrors) this.#errors.shift();
    if (message.startsWith("Reloaded server configuration")) this.#reloading?.resolve();
    if (message.startsWith("Failed to reload")) this.#reloading?.reject(new Error(message));
  }
}

/** On Linux the kernel ends nats-server when this process is killed without a chance to do it itself. */
function withParent(): string[] {
  const setpriv = process.platform === "linux" ? Bun.which("setpriv") : null;
  if (setpriv === null) return [];
  const help = Bun.spawnSync([setpriv, "--help"], { stderr: "ignore" }).stdout.toString();
  return help.includes("--pdeathsig") ? [setpriv, "--pdeathsig", "TERM"] : [];
}

function readPorts(folder: string, pid: number): ChildPorts | undefined {
  try {
    const file = readdirSync(folder).find((name) => name.endsWith(`_${pid}.ports`));
    if (file === undefined) return undefined;
    const ports = parseObject(readFileSync(join(folder, file)));
    const port = (kind: string) => portOf(ports[kind]);
    if (port("nats") === 0) return undefined;
    return {
      client: port("nats"),
      monitor: port("monitoring"),
      peers: port("cluster"),
      websocket: port("websocket"),
    };
  } catch {
    // Half written, or not to be read just now: it is read again in a moment.
    return undefined;
  }
}

function portOf(urls: unknown): number {
  const [url = ""] = isStringList(urls) ? urls : [];
  return Number(/:(\d+)$/.exec(url)?.[1] ?? 0);
}
