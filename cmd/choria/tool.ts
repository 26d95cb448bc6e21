import { Command } from "commander";
import { takeConfigFor } from "./client/parent.ts";
import { configCommand } from "./tool/config.ts";
import { eventCommand } from "./tool/event.ts";
import { command as factsCommand } from "./tool/facts.ts";
import { inventoryCommand } from "./tool/inventory.ts";
import { policyCommand } from "./tool/policy.ts";
import { provisionerCommand } from "./tool/provisioner.ts";
import { pubsubCommand } from "./tool/pubsub.ts";
import { sha256Command } from "./tool/sha256.ts";
import { command as statusCommand } from "./tool/status.ts";
import { command as submitCommand } from "./tool/submit.ts";

/** `choria tool`: what operators need now and then. */
export function command(): Command {
  const tool = new Command("tool").alias("t").description("Tools for operators, for finding out and for scripts.");
  const parts = [
    configCommand(),
    eventCommand(),
    factsCommand(),
    inventoryCommand(),
    policyCommand(),
    provisionerCommand(),
    pubsubCommand(),
    sha256Command(),
    statusCommand(),
    submitCommand(),
  ];
  for (const part of parts) tool.addCommand(part);
  return takeConfigFor(tool);
}
