import { Command } from "@commander-js/extra-typings";
import { errorText, version } from "../lib/std/mod.ts";
import { runBroker } from "./broker/run.ts";

const program = new Command("broker")
  .description("Run the Choria broker")
  .version(version)
  .option("--config <file>", "configuration file")
  .option("--pid <file>", "write the process id to this file")
  .action(async ({ config, pid }) => {
    try {
      if (config === undefined) throw new Error("configuration file required");
      await runBroker(config, pid);
    } catch (error) {
      console.error(`choria broker: ${errorText(error)}`);
      process.exitCode = 1;
    }
  });

await program.parseAsync();
