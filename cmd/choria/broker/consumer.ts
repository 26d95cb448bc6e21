import { Command } from "commander";
import { addCommand, copyCommand, editCommand, pauseCommand, removeCommand, resumeCommand } from "./consumer/change.ts";
import { infoCommand, listCommand, reportCommand } from "./consumer/look.ts";
import { nextCommand, subCommand } from "./consumer/take.ts";

const examples = `
Examples:
  choria broker consumer add ORDERS BILLING --pull --defaults
  choria broker consumer next ORDERS BILLING
  choria broker consumer report ORDERS`;

/** `choria broker consumer`: who reads streams, and how far they are. */
export function consumerCommand(): Command {
  const consumer = new Command("consumer")
    .alias("con")
    .description("Make, look at, use and remove consumers, which remember how far somebody has read a stream.")
    .addHelpText("after", examples);
  const parts = [
    addCommand(),
    editCommand(),
    listCommand(),
    infoCommand(),
    removeCommand(),
    copyCommand(),
    nextCommand(),
    subCommand(),
    pauseCommand(),
    resumeCommand(),
    reportCommand(),
  ];
  for (const part of parts) consumer.addCommand(part);
  return consumer;
}
