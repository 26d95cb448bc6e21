import { Command } from "commander";
import { accountCommand } from "./broker/account.ts";
import { consumerCommand } from "./broker/consumer.ts";
import { credentialsCommand } from "./broker/credentials.ts";
import { serverCommand } from "./broker/server.ts";
import { streamCommand } from "./broker/stream.ts";

const example = `
Example:
  choria broker run --config /etc/choria/broker.conf`;

/** `choria broker`: the broker role, and what is done with brokers and their streams. */
export function command(): Command {
  const broker = new Command("broker")
    .alias("b")
    .description("Run the broker, and look after brokers, streams and consumers.");
  const run = new Command("run")
    .description("Run the broker until it is told to end; SIGHUP has it read its configuration again.")
    .option("--config <file>", "configuration file")
    .option("--pid <file>", "write the process id to this file")
    .addHelpText("after", example)
    .action(async ({ config, pid }: { config?: string; pid?: string }) => {
      if (config === undefined) throw new Error("configuration file required");
      // Who looks at streams needs no broker of their own.
      const { runBroker } = await import("../broker/run.ts");
      return runBroker(config, pid);
    });
  return broker
    .addCommand(accountCommand())
    .addCommand(consumerCommand())
    .addCommand(credentialsCommand())
    .addCommand(run)
    .addCommand(serverCommand())
    .addCommand(streamCommand());
}
