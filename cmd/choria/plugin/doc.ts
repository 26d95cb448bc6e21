import { Command } from "commander";
import type { Terminal } from "../../../lib/cli/mod.ts";
import type { Config } from "../../../lib/config/mod.ts";
import { type AgentDdl, builtinDataDdls, encodeDdl } from "../../../lib/ddl/mod.ts";
import { errorText, goJson } from "../../../lib/std/mod.ts";
import { localDdls } from "../client/ddls.ts";
import { addClientFlags, type ClientFlags, clientConfig, clientTerminal, withFleet } from "../client/open.ts";
import { agentMarkdown, dataMarkdown } from "./markdown.ts";
import { agentPage, dataPage } from "./page.ts";

interface DocFlags extends ClientFlags {
  json?: true;
  markdown?: true;
}

const examples = `
Examples:
  choria plugin doc
  choria plugin doc rpcutil
  choria plugin doc data/choria
  choria plugin doc requests --markdown > requests.md

DDLs are built in, stand in the folders of the configuration key libdir, or are fetched from the registry, which needs
plugin.choria.services.registry.cache to be set.`;

/** `choria plugin doc`: which agents there are, and what one of them can do. */
export function docCommand(): Command {
  const doc = new Command("doc")
    .description("Name the agents and data providers there are, or show what one of them can do.")
    .argument("[name]", "which agent; data/NAME is a data provider");
  return addClientFlags(doc)
    .option("-j, --json", "write JSON")
    .option("-m, --markdown", "write Markdown")
    .addHelpText("after", examples)
    .action((name: string | undefined, flags: DocFlags) =>
      name === undefined ? listAgents(flags) : showAgent(name, flags),
    );
}

async function showAgent(name: string, flags: DocFlags): Promise<void> {
  const config = clientConfig(flags);
  const terminal = clientTerminal(config);
  const [kind, plugin] = splitName(name);
  if (kind === "data") return showData(plugin, flags, terminal);
  const ddl = await findDdl(plugin, config, flags);
  if (ddl === undefined) return;
  if (flags.json) terminal.out.write(`${goJson(JSON.parse(encodeDdl(ddl)), 2)}\n`);
  else terminal.out.write(flags.markdown ? agentMarkdown(ddl) : agentPage(ddl, terminal.paint));
}

function showData(name: string, flags: DocFlags, { out, paint }: Terminal): void {
  const ddl = builtinDataDdls().find((one) => one.name === name);
  if (ddl === undefined) throw new Error(`unknown data provider ${name}`);
  if (flags.json) out.write(`${goJson(ddl, 2)}\n`);
  else out.write(flags.markdown ? dataMarkdown(ddl) : dataPage(ddl, paint));
}

/** Names may say which kind of plugin they are of: `agent/rpcutil`, `data/choria`. */
function splitName(name: string): [kind: "agent" | "data", name: string] {
  const at = name.indexOf("/");
  if (at < 0) return ["agent", name];
  const kind = name.slice(0, at);
  if (kind === "agent" || kind === "data") return [kind, name.slice(at + 1)];
  throw new Error(`invalid plugin type ${kind}`);
}

/**
 * The DDL of an agent: from this machine, else from the registry; undefined when the user interrupts the search.
 * @throws {Error} `agent/X ddl not found`, and why.
 */
export async function findDdl(agent: string, config: Config, flags: ClientFlags): Promise<AgentDdl | undefined> {
  const local = await localDdls(config).find(agent);
  if (local !== undefined) return local;
  let found: AgentDdl | undefined;
  const hasRegistry = config.get("plugin.choria.services.registry.cache") !== "";
  if (!hasRegistry) {
    throw new Error(`agent/${agent} ddl not found, and plugin.choria.services.registry.cache is not set`);
  }
  await withFleet(flags, async ({ fleet }) => {
    found = await fleet.ddl(agent).catch((error: unknown) => {
      throw new Error(`agent/${agent} ddl not found: ${errorText(error)}`, { cause: error });
    });
  });
  return found;
}

async function listAgents(flags: DocFlags): Promise<void> {
  const config = clientConfig(flags);
  const { out, err } = clientTerminal(config);
  const hasRegistry = config.get("plugin.choria.services.registry.cache") !== "";
  if (hasRegistry && !flags.json) out.write("Accessing Choria Registry for service definitions\n\n");
  const reasons = hasRegistry ? await fetchAll(flags) : [];
  const local = localDdls(config);
  const ddls = await Promise.all(local.names().map(async (name) => [name, await describe(name, local.find)] as const));
  const data = builtinDataDdls().map(({ name, description }) => [name, description] as const);
  const document = { agent: Object.fromEntries(ddls), data: Object.fromEntries(data) };
  const text = `Known Plugins:\n\n${listText("Agents", ddls)}${listText("Data Providers", data)}`;
  out.write(flags.json ? `${goJson(document, 2)}\n` : text);
  for (const reason of reasons) err.write(`choria: warning: ${reason}\n`);
}

function listText(title: string, entries: readonly (readonly [name: string, description: string])[]): string {
  return `  ${title}:\n\n${entries.map(([name, text]) => `${name.padStart(20)}: ${text}\n`).join("")}\n`;
}

/** A file that cannot be read is shown among the others, so that somebody mends it. */
async function describe(name: string, find: (agent: string) => Promise<AgentDdl | undefined>): Promise<string> {
  try {
    return (await find(name))?.metadata.description ?? "";
  } catch (error) {
    return errorText(error);
  }
}

/** Have the cache complete. Gives what went wrong: whatever is on this machine is shown all the same. */
async function fetchAll(flags: ClientFlags): Promise<string[]> {
  const reasons: string[] = [];
  try {
    await withFleet(flags, async ({ fleet }) => {
      for (const name of (await fleet.registry?.names()) ?? []) {
        await fleet.ddl(name).catch((error: unknown) => reasons.push(errorText(error)));
      }
    });
  } catch (error) {
    reasons.push(errorText(error));
  }
  return reasons;
}
