import { Command } from "commander";
import { runServer } from "../../lib/server/mod.ts";

interface RunFlags {
  config?: string;
  pid?: string;
  serviceHost?: boolean;
}

const example = `
Example:
  choria server run --config /etc/choria/server.conf`;

/** `choria server`: the server role. */
export function command(): Command {
  const server = new Command("server").description("Run the Choria server.");
  const run = new Command("run")
    .description("Host agents on this node and answer requests for them until told to end.")
    .option("--config <file>", "configuration file; a node that is still to be provisioned may lack it")
    .option("--pid <file>", "write the process id to this file")
    .option("--service-host", "host service agents only")
    .addHelpText("after", example)
    .action(runRole);
  return server.addCommand(run);
}

async function runRole({ config, pid, serviceHost = false }: RunFlags): Promise<void> {
  if (config === undefined) throw new Error("server run requires a configuration file");
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  const pidFile = pid === undefined ? {} : { pidFile: pid };
  await runServer({ configFile: config, serviceHost, signal: stopping.signal, ...pidFile }).closed;
}
