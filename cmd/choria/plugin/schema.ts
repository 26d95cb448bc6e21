import { Command } from "commander";
import { encodeDdl, encodeRubyDdl } from "../../../lib/ddl/mod.ts";
import { parseChoice } from "../client/filters.ts";
import { addClientFlags, type ClientFlags, clientConfig } from "../client/open.ts";
import { findDdl } from "./doc.ts";

interface SchemaFlags extends ClientFlags {
  format: "json" | "ddl";
}

const examples = `
Examples:
  choria plugin schema agent rpcutil > rpcutil.json
  choria plugin schema agent rpcutil --format ddl > rpcutil.ddl`;

/** `choria plugin schema`: the DDL of an agent as a document. */
export function schemaCommand(): Command {
  const schema = new Command("schema")
    .description("Write the DDL of an agent.")
    .argument("<type>", "kind of plugin: agent", parseChoice(["agent"]))
    .argument("<name>", "which agent")
    .option("--format <format>", "json, or ddl for the form in Ruby", parseChoice(["json", "ddl"]), "json");
  return addClientFlags(schema)
    .addHelpText("after", examples)
    .action(async (_type: string, name: string, flags: SchemaFlags) => {
      const ddl = await findDdl(name, clientConfig(flags), flags);
      if (ddl === undefined) return;
      process.stdout.write(flags.format === "ddl" ? encodeRubyDdl(ddl) : `${encodeDdl(ddl)}\n`);
    });
}
