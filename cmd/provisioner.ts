import { rmSync } from "node:fs";
import { Command } from "@commander-js/extra-typings";
import { findClientConfig, loadConfig } from "../lib/config/mod.ts";
import { loadProvisionerConfig, startProvisioner } from "../lib/provisioner/mod.ts";
import { createLogger, errorText, isFile, type Logger, version, writeFileAtomic } from "../lib/std/mod.ts";

const signalNames = { SIGINT: "interrupt", SIGTERM: "terminated" } as const;

interface RunFlags {
  config: string;
  choriaConfig?: string | undefined;
  pid?: string | undefined;
  debug?: true | undefined;
}

async function run(flags: RunFlags): Promise<void> {
  const config = attempt("Provisioning could not be configured", () => loadProvisionerConfig(flags.config));
  const choria = attempt("Could not load Choria Configuration", () =>
    loadConfig(choriaFile(flags), { kind: "client" }),
  );
  const logger = createLogger({ level: flags.debug ? "debug" : config.loglevel, destination: config.logfile });
  const signal = stopSignal(logger);
  if (flags.pid !== undefined) writeFileAtomic(flags.pid, String(process.pid));
  try {
    await using _running = await startProvisioner({ config, choria, version, logger, signal });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  } catch (error) {
    if (signal.aborted) return;
    throw new Error(`Provisioning could not start: ${errorText(error)}`, { cause: error });
  } finally {
    if (flags.pid !== undefined) rmSync(flags.pid, { force: true });
  }
}

function stopSignal(logger: Logger): AbortSignal {
  const stopping = new AbortController();
  for (const [signal, name] of Object.entries(signalNames)) {
    process.on(signal, () => {
      logger.info(`Shutting down on ${name}`);
      stopping.abort();
    });
  }
  return stopping.signal;
}

function choriaFile({ choriaConfig }: RunFlags): string {
  const file = choriaConfig ?? findClientConfig();
  if (file === undefined || !isFile(file)) {
    throw new Error(file === undefined ? "no configuration file found, use --choria-config" : `file ${file} not found`);
  }
  return file;
}

function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${what}: ${errorText(error)}`, { cause: error });
  }
}

const program = new Command("choria-provisioner").description("Provision Choria servers").version(version);

program
  .command("run", { isDefault: true })
  .description("Provision servers until stopped")
  .requiredOption("--config <file>", "configuration of the provisioner, YAML")
  .option("--choria-config <file>", "configuration of Choria; that of the user by default")
  .option("--pid <file>", "write the process id to this file")
  .option("--debug", "log everything")
  .action(async (flags) => {
    try {
      await run(flags);
    } catch (error) {
      console.error(`choria-provisioner: error: ${errorText(error)}`);
      process.exitCode = 1;
    }
  });

await program.parseAsync();
