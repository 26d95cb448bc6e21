import { Command } from "commander";
import { formatTable } from "../../lib/cli/mod.ts";
import { footerText } from "../../lib/client/mod.ts";
import { goJson, isObject, isStringList, type JsonObject } from "../../lib/std/mod.ts";
import { filterOptions, gather } from "./client/filters.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "./client/open.ts";
import { endWithStats } from "./client/replies.ts";
import { inventoryText } from "./inventory/text.ts";

interface InventoryFlags extends ClientFlags {
  wf: string[];
  wc: string[];
  wa: string[];
  wi: string[];
  with: string[];
  collectives?: true;
  facts: boolean;
  json?: true;
}

const examples = `
Examples:
  choria inventory web1.example.net
  choria inventory web1.example.net --no-facts
  choria inventory --collectives -C web

Ends with 0 when the node has answered, 1 when it has not or on errors, 130 when interrupted; with --collectives with 2
when some nodes have not answered.`;

/** `choria inventory`: everything a node is and has, or which collectives there are. */
export function command(): Command {
  const inventory = new Command("inventory")
    .description("Show what a node is, has and does, or which collectives there are.")
    .argument("[identity]", "which node")
    .option("--collectives", "report which collectives there are, and how many nodes each has")
    .option("-F, --wf <fact=value>", "with --collectives: nodes with a fact; may be repeated", gather, [])
    .option("-C, --wc <class>", "with --collectives: nodes of a class; may be repeated", gather, [])
    .option("-A, --wa <agent>", "with --collectives: nodes that have an agent; may be repeated", gather, [])
    .option("-I, --wi <identity>", "with --collectives: nodes by name or /expression/; may be repeated", gather, [])
    .option("-W, --with <words>", "with --collectives: classes and facts, separated by spaces", gather, [])
    .option("--no-facts", "leave the facts out")
    .option("-j, --json", "write one JSON document");
  return addClientFlags(inventory)
    .addHelpText("after", examples)
    .action((identity: string | undefined, flags: InventoryFlags) => {
      if (flags.collectives) return withFleet(flags, (session) => reportCollectives(flags, session));
      if (identity === undefined) throw new Error("please specify a node to retrieve inventory for");
      return withFleet(flags, (session) => showNode(identity, flags, session));
    });
}

async function showNode(identity: string, flags: InventoryFlags, session: ClientSession): Promise<void> {
  const [inventory, stats] = await Promise.all([
    ask("inventory", identity, session),
    ask("daemon_stats", identity, session),
  ]);
  if (inventory === undefined || stats === undefined) throw new Error("no inventory received");
  const { facts, ...rest } = inventory;
  const shown = flags.facts ? inventory : rest;
  const { out } = session.terminal;
  if (flags.json) out.write(`${goJson({ identity, inventory: shown, statistics: stats }, 2)}\n`);
  else out.write(inventoryText(identity, shown, stats, session.terminal.paint));
}

/** What an action of rpcutil answers; undefined when the node is silent. */
async function ask(action: string, node: string, { fleet, signal }: ClientSession): Promise<JsonObject | undefined> {
  const [reply] = await fleet.request("rpcutil", action, {}, { nodes: [node], signal }).all();
  if (reply === undefined) return undefined;
  if (!reply.ok || !isObject(reply.data)) throw new Error(`${node} refuses rpcutil#${action}: ${reply.statusmsg}`);
  return reply.data;
}

async function reportCollectives(flags: InventoryFlags, { fleet, terminal, signal }: ClientSession): Promise<void> {
  const request = fleet.request("rpcutil", "collective_info", {}, { filter: filterOptions(flags), signal });
  const counts = new Map<string, number>();
  for await (const { ok, data } of request) {
    const names = ok && isObject(data) ? data.collectives : undefined;
    for (const name of isStringList(names) ? names : []) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const { stats } = request;
  if (stats.responses === 0) throw new Error("no responses received");
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  if (flags.json) {
    const collectives = Object.fromEntries(rows);
    terminal.out.write(`${goJson({ nodes: stats.responses, collectives }, 2)}\n`);
  } else {
    const title = `Collective Report for ${stats.responses} nodes`;
    terminal.out.write(`${formatTable({ title, head: ["Collective", "Nodes"], rows })}\n`);
    if (stats.noResponses.length > 0) terminal.out.write(footerText(stats, false, terminal.paint));
  }
  endWithStats(stats);
}
