import type { DdlInput } from "../ddl.ts";
import { action, agentDdl, output, textInput } from "./_parts.ts";

const pluginType: DdlInput = {
  prompt: "Kind of plugin",
  description: "Which kind of plugin is asked for",
  type: "list",
  optional: false,
  default: "agent",
  list: ["agent"],
};

/** The service that hands out DDLs. */
export const choriaRegistry = agentDdl(
  {
    name: "choria_registry",
    description: "Hands out the DDLs that its host has",
    timeout: 2,
    provider: "golang",
    service: true,
  },
  [
    action("names", "Name every plugin that is known", {
      display: "failed",
      input: { plugin_type: pluginType },
      output: {
        names: output("Names", "array", "Names of the plugins"),
        plugin_type: output("Type", "string", "Kind of the plugins"),
      },
    }),
    action("ddl", "Fetch the DDL of a plugin", {
      display: "always",
      input: {
        format: {
          prompt: "Format",
          description: "How the DDL is written",
          type: "list",
          optional: true,
          default: "json",
          list: ["ddl", "json"],
        },
        name: textInput("Name", "Which plugin", "shellsafe", 64),
        plugin_type: pluginType,
      },
      output: {
        ddl: output("DDL", "string", "The DDL in the wanted format"),
        name: output("Name", "string", "Name of the plugin"),
        plugin_type: output("Type", "string", "Kind of the plugin"),
        version: output("Version", "string", "Version of the plugin"),
      },
    }),
  ],
);
