import { rmSync } from "node:fs";
import { resolve } from "node:path";
import type { Config } from "../config/mod.ts";
import type { TlsOptions } from "../connector/mod.ts";
import type { Agent } from "../rpc/mod.ts";
import { type Clock, createLogger, type Logger, systemClock, version, writeFileAtomic } from "../std/mod.ts";
import {
  decideMode,
  provisionAgent,
  type RunningServer,
  reasonToReprovision,
  type ServerControl,
  type ServerMode,
  type ServerSupervisor,
  superviseServer,
} from "./provisioning/mod.ts";
import { type AgentKit, startServer } from "./server.ts";

/** How {@link runServer} runs a server. */
export interface RunServerOptions {
  /** The server's configuration file. A node that is still to be provisioned has none. */
  configFile: string;
  /** File for the process id, removed at the end. */
  pidFile?: string;
  /**
   * Host service agents only.
   * @default false
   */
  serviceHost?: boolean;
  /** Name of a node that is being provisioned; the host's own by default. */
  identity?: string;
  /** Environment variables; the process's own by default. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Ends the server. */
  signal?: AbortSignal;
  /** Where everything is logged, in place of what the configuration says. */
  logger?: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** TLS settings in place of the configuration's. */
  tls?: TlsOptions | false;
  /**
   * Gives back the memory that starting took, once the server has settled.
   * @default {@link Bun.shrink}
   */
  releaseMemory?: () => void;
}

/** How long a server takes to settle, in milliseconds. */
const settlingTime = 2_000;

/**
 * Run a server from its files: decide whether it serves or is to be provisioned, start it, and start it anew whenever
 * the provisioner, or the state of its credentials, asks for it.
 *
 * @returns what runs; its `closed` rejects with what keeps the server from starting.
 */
export function runServer(options: RunServerOptions): ServerSupervisor {
  const { clock = systemClock, env = process.env, pidFile, signal } = options;
  const configFile = resolve(options.configFile);
  if (pidFile !== undefined) writeFileAtomic(pidFile, String(process.pid), { mode: 0o644 });
  const logger = options.logger ?? createLogger();
  const loggerFor = configuredLoggers();
  const supervisor = superviseServer({
    decide: () =>
      decideMode({
        configFile,
        env,
        clock,
        logger,
        ...(options.identity === undefined ? {} : { identity: options.identity }),
      }),
    check: () => reasonToReprovision({ configFile, env, now: clock.now() }),
    start: (mode, control) => {
      const own = options.logger ?? loggerFor(mode.config);
      return startInMode(mode, control, { ...options, configFile, clock, logger: own });
    },
    clock,
    logger,
    ...(signal === undefined ? {} : { signal }),
  });
  if (pidFile !== undefined) {
    void supervisor.closed.catch(() => undefined).then(() => rmSync(pidFile, { force: true }));
  }
  return supervisor;
}

async function startInMode(
  mode: ServerMode,
  control: ServerControl,
  options: RunServerOptions & { clock: Clock; logger: Logger },
): Promise<RunningServer> {
  const { config } = mode;
  const { logger } = options;
  const server = await startServer({
    config,
    logger,
    clock: options.clock,
    signal: control.signal,
    serviceHost: options.serviceHost ?? false,
    agents: (kit) => provisioningAgents(mode, control, kit, options),
    ...(mode.kind === "provisioning" ? { provisioning: mode.settings } : {}),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
  void server.closed.then(() => control.restart("the connection to the broker was closed"));
  const settled = options.clock.after(settlingTime, options.releaseMemory ?? (() => Bun.shrink()));
  control.signal.addEventListener("abort", () => settled[Symbol.dispose](), { once: true });
  return server;
}

/** The agent that provisions is there for as long as the node can be provisioned. */
function provisioningAgents(
  mode: ServerMode,
  control: ServerControl,
  { node, rpc, announcer }: AgentKit,
  { configFile, clock, serviceHost }: RunServerOptions & { clock: Clock },
): Agent[] {
  if (mode.settings === undefined || serviceHost) return [];
  const { tokenFile, secret } = mode.settings;
  const agent = provisionAgent({
    ...rpc,
    configFile,
    tokenFile,
    secret,
    isProvisioning: mode.kind === "provisioning",
    config: node.config,
    control: {
      publishEvent: (type) => announcer.publish(type),
      restart: () => control.restart("the provisioner asks for it"),
      shutdown: () => control.shutdown("the provisioner asks for it"),
    },
    clock,
    version,
  });
  return [agent];
}

/** Loggers as configurations want them. A server that starts anew with the same log does not open it again. */
function configuredLoggers(): (config: Config) => Logger {
  const held = new Map<string, Logger>();
  return (config) => {
    const [level, destination] = [config.get("loglevel"), config.get("logfile")];
    const key = `${level} ${destination}`;
    const logger = held.get(key) ?? createLogger({ level, destination });
    held.set(key, logger);
    return logger;
  };
}
