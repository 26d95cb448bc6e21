import { rmSync } from "node:fs";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { type AaaConfig, loadAaaConfig, startAaa } from "../lib/aaa/mod.ts";
import { type Config, loadConfig } from "../lib/config/mod.ts";
import { createLogger, encodeUtf8, errorText, type Logger, version, writeFileAtomic } from "../lib/std/mod.ts";

/** Bcrypt takes no more of a password into account. */
const maxPasswordBytes = 72;

const signalNames = { SIGINT: "interrupt", SIGTERM: "terminated", SIGQUIT: "quit" } as const;

interface RunFlags {
  config: string;
  debug?: true | undefined;
  pid?: string | undefined;
  disableTls?: true | undefined;
}

async function run(flags: RunFlags): Promise<void> {
  if (flags.pid !== undefined) writeFileAtomic(flags.pid, String(process.pid));
  try {
    await serve(flags);
  } finally {
    if (flags.pid !== undefined) rmSync(flags.pid, { force: true });
  }
}

async function serve(flags: RunFlags): Promise<void> {
  const config = loadAaaConfig(flags.config);
  const choria = config.choriaConfig === "" ? undefined : loadConfig(config.choriaConfig, { kind: "system" });
  const logger = makeLogger(config, choria, flags);
  const stopping = new AbortController();
  for (const [signal, name] of Object.entries(signalNames)) {
    process.on(signal, () => {
      logger.info(`Shutting down on ${name}`);
      stopping.abort();
    });
  }
  const { signal } = stopping;
  await using _running = await startAaa({
    config,
    choria,
    logger,
    signal,
    disableTls: flags.disableTls ?? false,
  });
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

function makeLogger(config: AaaConfig, choria: Config | undefined, flags: RunFlags): Logger {
  const destination = config.logfile || choria?.get("logfile") || "stdout";
  return createLogger({ level: flags.debug ? "debug" : config.loglevel, destination });
}

async function crypt(cost: number): Promise<void> {
  for await (const line of console) {
    if (line === "") continue;
    const bytes = encodeUtf8(line);
    if (bytes.length > maxPasswordBytes) throw new Error(`a password is longer than ${maxPasswordBytes} bytes`);
    console.log(await Bun.password.hash(bytes, { algorithm: "bcrypt", cost }));
  }
}

function parseCost(text: string): number {
  const cost = Number(text);
  if (Number.isInteger(cost) && cost >= 4 && cost <= 31) return cost;
  throw new InvalidArgumentError("Expected a whole number from 4 to 31.");
}

async function orFail(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(`aaa: error: ${errorText(error)}`);
    process.exitCode = 1;
  }
}

const program = new Command("aaa")
  .description("Authentication, authorization and auditing for Choria")
  .version(version)
  .action(() => program.help());

program
  .command("run")
  .description("Run the service until it is told to stop")
  .requiredOption("--config <file>", "configuration file, JSON")
  .option("--debug", "log details, whatever the configuration says")
  .option("--pid <file>", "write the process id to this file")
  .option("--disable-tls", "serve plain HTTP, as behind a proxy that ends TLS")
  .action((flags) => orFail(() => run(flags)));

program
  .command("crypt")
  .description("Read passwords, one a line, and print their bcrypt hashes for the user list")
  .option("--cost <number>", "how much work a guess takes, doubling with each step", parseCost, 10)
  .action(({ cost }) => orFail(() => crypt(cost)));

await program.parseAsync();
