import { Command } from "commander";
import type { Config } from "../../../lib/config/mod.ts";
import { type AgentDdl, encodeDdl } from "../../../lib/ddl/mod.ts";
import { errorText } from "../../../lib/std/mod.ts";
import { localDdls } from "../client/ddls.ts";
import { addClientFlags, type ClientFlags, clientConfig, clientTerminal, withFleet } from "../client/open.ts";
import { goJson } from "../req/json.ts";
import { agentMarkdown } from "./markdown.ts";
import { agentPage } from "./page.ts";

interface DocFlags extends ClientFlags {
  json?: true;
  markdown?: true;
}

const examples = `
Examples:
  choria plugin doc
  choria plugin doc rpcutil
  choria plugin doc requests --markdown > requests.md

DDLs are built in, stand in the folders of the configuration key libdir, or are fetched from the registry, which needs
plugin.choria.services.registry.cache to be set.`;

/** `choria plugin doc`: which agents there are, and what one of them can do. */
export function docCommand(): Command {
  const doc = new Command("doc")
    .description("Name the agents there are, or show what one of them can do.")
    .argument("[name]", "which agent");
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
  const ddl = await findDdl(agentOf(name), config, flags);
  if (flags.json) terminal.out.write(`${goJson(JSON.parse(encodeDdl(ddl)), 2)}\n`);
  else terminal.out.write(flags.markdown ? agentMarkdown(ddl) : agentPage(ddl, terminal.paint));
}

/** Names may say which kind of plugin they are of: `agent/rpcutil`. */
function agentOf(name: string): string {
  const [kind, rest] = name.includes("/") ? name.split("/", 2) : ["agent", name];
  if (kind === "agent" && rest) return rest;
  throw new Error(`invalid plugin type ${kind}`);
}

/**
 * The DDL of an agent: from this machine, else from the registry.
 * @throws {Error} `agent/X ddl not found`, and why.
 */
export async function findDdl(agent: string, config: Config, flags: ClientFlags): Promise<AgentDdl> {
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
  if (found === undefined) throw new Error(`agent/${agent} ddl not found`);
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
  if (flags.json) out.write(`${goJson({ agent: Object.fromEntries(ddls) }, 2)}\n`);
  else
    out.write(
      `Known Plugins:\n\n  Agents:\n\n${ddls.map(([name, text]) => `${name.padStart(20)}: ${text}\n`).join("")}\n`,
    );
  for (const reason of reasons) err.write(`choria: warning: ${reason}\n`);
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
