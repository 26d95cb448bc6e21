import { rmSync } from "node:fs";
import { type BrokerHandle, startBroker } from "../../lib/broker/mod.ts";
import { type Config, loadConfig } from "../../lib/config/mod.ts";
import { createLogger, errorText, type Logger, writeFileAtomic } from "../../lib/std/mod.ts";

const signalNames = { SIGINT: "interrupt", SIGTERM: "terminated" } as const;

/**
 * Run the broker of a configuration file until the process is told to end. SIGHUP has it read the file again.
 *
 * @param pidFile File for the process id, removed at the end.
 * @throws {Error} when the configuration cannot be used or the broker does not start.
 */
export async function runBroker(file: string, pidFile: string | undefined): Promise<void> {
  const config = readConfig(file);
  const logger = createLogger({ level: config.get("loglevel"), destination: config.get("logfile") });
  const stopping = new AbortController();
  for (const [signal, name] of Object.entries(signalNames)) {
    process.on(signal, () => {
      logger.info(`Shutting down on ${name}`);
      stopping.abort();
    });
  }
  if (pidFile !== undefined) writeFileAtomic(pidFile, String(process.pid));
  try {
    await serve(config, logger, stopping.signal);
  } finally {
    if (pidFile !== undefined) rmSync(pidFile, { force: true });
  }
}

async function serve(config: Config, logger: Logger, signal: AbortSignal): Promise<void> {
  const isAlone = !config.get("plugin.choria.broker_network") && config.get("plugin.choria.adapters").length > 0;
  return isAlone ? serveAdapters(config, logger, signal) : serveBroker(config, logger, signal);
}

/** Data adapters may run beside a broker that is another process. */
async function serveAdapters(config: Config, logger: Logger, signal: AbortSignal): Promise<void> {
  const { startLoneAdapters } = await import("./adapters.ts");
  await using _running = await startLoneAdapters(config, { logger, signal });
  await aborted(signal);
}

async function serveBroker(config: Config, logger: Logger, signal: AbortSignal): Promise<void> {
  let broker: BrokerHandle;
  try {
    broker = await startBroker(config, { logger, signal });
  } catch (error) {
    if (signal.aborted) return;
    // The terminal is told by whoever called us.
    if (!["stdout", "stderr"].includes(config.get("logfile"))) logger.error(errorText(error));
    throw error;
  }
  await using running = broker;
  const onReload = () => void reload(running, config.file, logger);
  process.on("SIGHUP", onReload);
  await aborted(signal);
  process.off("SIGHUP", onReload);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

async function reload(broker: BrokerHandle, file: string, logger: Logger): Promise<void> {
  try {
    await broker.reload(readConfig(file));
  } catch (error) {
    logger.error("The configuration stays as it is", { reason: errorText(error) });
  }
}

function readConfig(file: string): Config {
  return loadConfig(file, { kind: "system" });
}
