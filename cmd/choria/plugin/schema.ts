import { Command } from "commander";
import { encodeDdl } from "../../../lib/ddl/mod.ts";
import { parseChoice } from "../client/filters.ts";
import { addClientFlags, type ClientFlags, clientConfig } from "../client/open.ts";
import { findDdl } from "./doc.ts";

const examples = `
Example:
  choria plugin schema agent rpcutil > rpcutil.json`;

/** `choria plugin schema`: the DDL of an agent as a document. */
export function schemaCommand(): Command {
  const schema = new Command("schema")
    .description("Write the DDL of an agent.")
    .argument("<type>", "kind of plugin: agent", parseChoice(["agent"]))
    .argument("<name>", "which agent")
    .option("--format <format>", "json", parseChoice(["json"]), "json");
  return addClientFlags(schema)
    .addHelpText("after", examples)
    .action(async (_type: string, name: string, flags: ClientFlags) => {
      const ddl = await findDdl(name, clientConfig(flags), flags);
      process.stdout.write(`${encodeDdl(ddl)}\n`);
    });
}
