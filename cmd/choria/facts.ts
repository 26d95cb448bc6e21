import { Command } from "commander";
import { formatTable, indentLines } from "../../lib/cli/mod.ts";
import { type FleetReply, footerText, prettyJson } from "../../lib/client/mod.ts";
import { goJson, isObject } from "../../lib/std/mod.ts";
import { addDiscoveryFlags, addFilterFlags, type DiscoveryFlags, type FilterFlags } from "./client/filters.ts";
import { discoverOptions } from "./client/nodes.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "./client/open.ts";
import { endWithStats } from "./client/replies.ts";

interface FactsFlags extends ClientFlags, FilterFlags, DiscoveryFlags {
  json?: true;
  table?: true;
  verbose?: true;
  showNodes?: true;
  reverse?: true;
}

/** Nodes that share a value of a fact. */
interface FactGroup {
  value: string;
  nodes: string[];
}

const examples = `
Examples:
  choria facts memory.size
  choria facts os.release --table --show-nodes -C web
  choria facts memory.size -j | choria req rpcutil ping

Ends with 0 when every node answered, 2 when some did not, 1 on errors, 130 when interrupted.`;

/** `choria facts`: which values a fact has, and on how many nodes. */
export function command(): Command {
  const facts = new Command("facts")
    .description("Report the values that a fact has, and on how many nodes.")
    .argument("<fact>", "which fact; dots lead into nested ones");
  return addClientFlags(addDiscoveryFlags(addFilterFlags(facts)))
    .option("-t, --table", "write a table")
    .option("-j, --json", "write one JSON document, which other commands take as their nodes")
    .option("-n, --show-nodes", "name the nodes of each value")
    .option("-r, --reverse", "begin with the most frequent value")
    .option("-v, --verbose", "name the nodes, and show all figures")
    .addHelpText("after", examples)
    .action((fact: string, flags: FactsFlags) => withFleet(flags, (session) => runFacts(fact, flags, session)));
}

async function runFacts(fact: string, flags: FactsFlags, session: ClientSession): Promise<void> {
  const { fleet, config, terminal, signal } = session;
  const options = { ...(await discoverOptions(flags, config)), signal };
  const request = fleet.request("rpcutil", "get_fact", { fact }, options);
  const replies = await request.all();
  if (replies.length === 0) throw new Error("no responses received");
  const groups = groupValues(replies, flags.reverse ?? false);
  if (groups.length === 0) throw new Error("no facts returned");
  if (flags.json) terminal.out.write(`${goJson(document(groups), 2)}\n`);
  else {
    const report = flags.table ? tableText(groups, hasNodes(flags)) : listText(groups, hasNodes(flags));
    terminal.out.write(`Report for fact: ${fact}\n\n${report}`);
    terminal.out.write(footerText(request.stats, flags.verbose ?? false, terminal.paint));
  }
  endWithStats(request.stats);
}

function hasNodes(flags: FactsFlags): boolean {
  return Boolean(flags.showNodes || flags.verbose);
}

/** Values with their nodes, the rarest first unless reversed. */
export function groupValues(
  replies: readonly Pick<FleetReply, "ok" | "sender" | "data">[],
  isReversed: boolean,
): FactGroup[] {
  const byValue = new Map<string, string[]>();
  for (const { ok, sender, data } of replies) {
    if (!ok || !isObject(data)) continue;
    const value = factText(data.value);
    byValue.set(value, [...(byValue.get(value) ?? []), sender]);
  }
  const groups = [...byValue].map(([value, nodes]) => ({ value, nodes }));
  groups.sort((a, b) => a.nodes.length - b.nodes.length || (a.value < b.value ? -1 : 1));
  return isReversed ? groups.reverse() : groups;
}

function factText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "nil" : JSON.stringify(value);
}

function document(groups: readonly FactGroup[]): object {
  return Object.fromEntries(
    groups.map(({ value, nodes }) => [value, { count: nodes.length, identities: nodes }] as const),
  );
}

function listText(groups: readonly FactGroup[], withNodes: boolean): string {
  const width = Math.max(...groups.map(({ value }) => value.length));
  return groups
    .map(({ value, nodes }) => {
      const line = `  ${value.padEnd(width)} found ${nodes.length} times\n`;
      return withNodes ? `${line}\n${indentLines(nodes.toSorted().join("\n"), "    ")}\n\n` : line;
    })
    .join("");
}

function tableText(groups: readonly FactGroup[], withNodes: boolean): string {
  const rows = groups.map(({ value, nodes }) => {
    const cells = [shown(value), nodes.length];
    return withNodes ? [...cells, nodes.toSorted().join("\n")] : cells;
  });
  return `${formatTable({ head: ["Fact", "Matches", ...(withNodes ? ["Nodes"] : [])], rows })}\n`;
}

/** Nested values are opened up, which a table has the room for. */
function shown(value: string): string {
  if (!/^[[{]/.test(value)) return value;
  try {
    return prettyJson(JSON.parse(value));
  } catch {
    return value;
  }
}
