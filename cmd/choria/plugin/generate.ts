import { Command } from "commander";
import { generateClientCommand } from "./generate_client.ts";
import { generateDdlCommand } from "./generate_ddl.ts";

/** `choria plugin generate`: DDLs, and what is made from them. */
export function generateCommand(): Command {
  const generate = new Command("generate").description("Generate DDLs, and clients from DDLs.");
  for (const part of [generateClientCommand(), generateDdlCommand()]) generate.addCommand(part);
  return generate;
}
