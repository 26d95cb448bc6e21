import { Command } from "@commander-js/extra-typings";
import { loadReplicatorConfig, startReplicator } from "../lib/replicator/mod.ts";
import { createLogger, errorText, isFile, type Logger, version } from "../lib/std/mod.ts";
import { advisoriesCommand } from "./replicator/advisories.ts";
import { gossipCommand } from "./replicator/gossip.ts";
import { stateCommand } from "./replicator/state.ts";

const signalNames = { SIGINT: "interrupt", SIGTERM: "terminated" } as const;

async function replicate(file: string, isDebug: boolean): Promise<void> {
  if (!isFile(file)) throw new Error(`path '${file}' does not exist`);
  const config = loadReplicatorConfig(file);
  const level = isDebug ? "debug" : config.loglevel;
  const logger = createLogger({ level, destination: config.logfile || "stderr" });
  const stopped = stopSignal(logger);
  await using replicator = startReplicator({ config, logger });
  const failed = await Promise.race([replicator.ended, stopped]);
  if (failed > 0) throw new Error(`none of the ${failed} streams could be replicated, the log says why`);
}

/** Resolves with 0 when somebody wants the process to stop. */
function stopSignal(logger: Logger): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  for (const [signal, name] of Object.entries(signalNames)) {
    process.on(signal, () => {
      logger.warn(`Shutting down on signal ${name}`);
      resolve(0);
    });
  }
  return promise;
}

const program = new Command("stream-replicator")
  .description("Copy streams from one NATS server or Choria broker to another")
  .version(version)
  .option("--debug", "log everything")
  .enablePositionalOptions();

program
  .command("replicate", { isDefault: true })
  .description("Copy streams until stopped")
  .requiredOption("--config <file>", "configuration of the replicator, YAML")
  .option("--debug", "log everything")
  .action(async ({ config, debug }) => {
    await replicate(config, (debug ?? program.opts().debug) === true);
  });

program
  .command("admin")
  .description("Look at advisories and at what the limiter knows")
  .addCommand(advisoriesCommand())
  .addCommand(stateCommand())
  .addCommand(gossipCommand());

try {
  await program.parseAsync();
} catch (error) {
  console.error(`stream-replicator: error: ${errorText(error)}`);
  process.exitCode = 1;
}
