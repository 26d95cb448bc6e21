import { Command } from "commander";
import { command as generateAgentCommand } from "./generate_agent.ts";
import { generateClientCommand } from "./generate_client.ts";
import { generateDdlCommand } from "./generate_ddl.ts";

/** `choria plugin generate`: agents, DDLs, and what is made from them. */
export function generateCommand(): Command {
  const generate = new Command("generate").description("Generate agents, DDLs, and clients from DDLs.");
  for (const part of [generateAgentCommand(), generateClientCommand(), generateDdlCommand()]) generate.addCommand(part);
  return generate;
}
