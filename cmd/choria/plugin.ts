import { Command } from "commander";
import { takeConfigFor } from "./client/parent.ts";
import { docCommand } from "./plugin/doc.ts";
import { generateCommand } from "./plugin/generate.ts";
import { schemaCommand } from "./plugin/schema.ts";

/** `choria plugin`: what agents take and give, and what is made from that. */
export function command(): Command {
  const plugin = new Command("plugin").description("Read the DDLs of agents, and make DDLs and clients of them.");
  for (const part of [docCommand(), generateCommand(), schemaCommand()]) plugin.addCommand(part);
  return takeConfigFor(plugin);
}
