import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { loadConfig } from "../lib/config/mod.ts";
import { type EmulatorOptions, startEmulator } from "../lib/emulator/mod.ts";
import { createLogger, errorText, version } from "../lib/std/mod.ts";
import { readTokenFile, readTokenSigner } from "../lib/tokens/mod.ts";

interface EmulateFlags {
  count: number;
  jwt?: string | undefined;
  config?: string | undefined;
  issuer?: string | undefined;
  namePrefix: string;
  connectionsPerSecond: number;
  nodesPerConnection: number;
  reportInterval: number;
  debug?: true | undefined;
}

async function emulate(flags: EmulateFlags): Promise<void> {
  const logger = createLogger({ destination: "stderr", level: flags.debug ? "debug" : "error" });
  const stopping = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.resolve());
  const { count, namePrefix, connectionsPerSecond, nodesPerConnection } = flags;
  const options = { count, namePrefix, connectionsPerSecond, nodesPerConnection, logger, ...nodesOf(flags) };
  await using emulator = await startEmulator(options);
  const report = () => console.log(JSON.stringify(emulator.counts));
  const timer = setInterval(report, flags.reportInterval * 1_000);
  await Promise.race([emulator.started, stopping.promise]);
  report();
  await stopping.promise;
  clearInterval(timer);
}

/** Nodes wait for a provisioner where there is a provisioning token, else they come with tokens of the issuer. */
function nodesOf({ jwt, config, issuer }: EmulateFlags): Pick<EmulatorOptions, "provisioningToken" | "provisioned"> {
  if (jwt !== undefined) return { provisioningToken: readTokenFile(jwt) };
  if (config === undefined || issuer === undefined) throw new Error("use --jwt, or --config together with --issuer");
  return { provisioned: { config: loadConfig(config, { kind: "system" }), issuer: readTokenSigner(issuer) } };
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}

const program = new Command("emulator")
  .description("Run many Choria servers in one process, to try out what a network can bear")
  .version(version)
  .requiredOption("--count <number>", "how many nodes", wholeNumber)
  .option("--jwt <file>", "provisioning token: the nodes wait to be provisioned")
  .option("--config <file>", "server configuration that all nodes share: they are provisioned already")
  .option("--issuer <file>", "key that signs the tokens of such nodes")
  .option("--name-prefix <text>", "what the names of the nodes start with", "node")
  .option("--connections-per-second <number>", "most connections opened in a second; 0 for no limit", wholeNumber, 100)
  .option("--nodes-per-connection <number>", "unprovisioned nodes on one connection", wholeNumber, 1)
  .option("--report-interval <seconds>", "seconds between reports", wholeNumber, 5)
  .option("--debug", "log everything")
  .action(async (flags) => {
    try {
      await emulate(flags);
    } catch (error) {
      console.error(`emulator: ${errorText(error)}`);
      process.exitCode = 1;
    }
  });

await program.parseAsync();
