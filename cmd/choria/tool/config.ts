import { Command } from "commander";
import { indentLines, labelledLines, type Paint } from "../../../lib/cli/mod.ts";
import { type Config, type ConfigKey, catalogue, isConfigKey } from "../../../lib/config/mod.ts";
import { addClientFlags, type ClientFlags, clientConfig, clientTerminal } from "../client/open.ts";

interface ConfigFlags extends ClientFlags {
  list?: true;
}

const examples = `
Examples:
  choria tool config
  choria tool config registry
  choria tool config '^plugin.choria.network' --list`;

/** `choria tool config`: which settings there are, and what they are set to. */
export function configCommand(): Command {
  const config = new Command("config")
    .description("Show the settings in use, or every setting there is whose name an expression finds.")
    .argument("[expression]", "regular expression on the names of settings");
  return addClientFlags(config)
    .option("-l, --list", "show names only")
    .addHelpText("after", examples)
    .action((expression: string | undefined, flags: ConfigFlags) => showConfig(expression, flags));
}

function showConfig(expression: string | undefined, flags: ConfigFlags): void {
  const config = clientConfig(flags);
  const { out, paint } = clientTerminal(config);
  const keys = expression === undefined ? setKeys(config) : matchingKeys(expression);
  if (flags.list) return void out.write(keys.map((key) => `${key}\n`).join(""));
  if (expression === undefined)
    out.write(`${paint.heading("Loaded Files:")}\n\n${indentLines(config.files.join("\n"), "  ")}\n\n`);
  out.write(keys.map((key) => entryText(key, config, paint)).join("\n"));
}

function setKeys(config: Config): string[] {
  return [...config.entries()].map(([key]) => key).sort();
}

function matchingKeys(expression: string): ConfigKey[] {
  const pattern = new RegExp(expression, "i");
  const found = Object.keys(catalogue)
    .filter(isConfigKey)
    .filter((key) => pattern.test(key));
  if (found.length === 0) throw new Error(`no configuration keys declared matching ${JSON.stringify(expression)}`);
  return found.sort();
}

function entryText(key: string, config: Config, paint: Paint): string {
  const set = [...config.entries()].find(([name]) => name === key)?.[1];
  const setting = isConfigKey(key) ? catalogue[key] : undefined;
  const rows: [string, string][] = [
    ...(set === undefined
      ? []
      : ([
          ["Value", shown(key, set.value)],
          ["Set In", set.place],
        ] as [string, string][])),
    ...(setting === undefined ? [] : ([["Data Type", setting.type]] as [string, string][])),
    ...(!setting?.defaultText ? [] : ([["Default", setting.defaultText]] as [string, string][])),
    ...(setting?.env === undefined ? [] : ([["Environment", setting.env]] as [string, string][])),
  ];
  const doc = setting?.doc ?? "This setting is not in the catalogue";
  return `${paint.heading(key)}\n\n${labelledLines(rows).join("\n")}\n\n${indentLines(doc, "   ")}\n`;
}

/** Secrets that stand in the file itself are not shown; names of files that hold some are. */
function shown(key: string, value: string): string {
  return /pass|token|secret|seed/.test(key) && !/_file$|\.file$/.test(key) ? "*****" : value;
}
