import { Command } from "@commander-js/extra-typings";
import { runServer } from "../lib/server/mod.ts";
import { errorText, version } from "../lib/std/mod.ts";

const command = new Command("server")
  .description("The Choria server: hosts agents on a node and answers requests for them")
  .version(version)
  .option("--config <file>", "configuration file")
  .option("--pid <file>", "write the process id to this file")
  .option("--service-host", "host service agents only")
  .action(async ({ config, pid, serviceHost }) => {
    if (config === undefined) throw new Error("server run requires a configuration file");
    const controller = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort());
    const server = runServer({
      configFile: config,
      signal: controller.signal,
      ...(pid === undefined ? {} : { pidFile: pid }),
      ...(serviceHost === undefined ? {} : { serviceHost }),
    });
    await server.closed;
  });

try {
  // Service units written for the original say `server run`.
  const args = process.argv.slice(2).filter((argument, at) => !(at === 0 && argument === "run"));
  await command.parseAsync(args, { from: "user" });
  process.exit(0);
} catch (error) {
  console.error(`Could not run Choria: ${errorText(error)}`);
  process.exit(1);
}
