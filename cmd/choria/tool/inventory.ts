import { existsSync } from "node:fs";
import { Command } from "commander";
import type { FleetReply } from "../../../lib/client/mod.ts";
import { readInventoryDocument } from "../../../lib/discovery/mod.ts";
import { isObject, isStringList, type JsonObject, writeFileAtomic } from "../../../lib/std/mod.ts";
import {
  addDiscoveryFlags,
  addFilterFlags,
  type DiscoveryFlags,
  type FilterFlags,
  withAgent,
} from "../client/filters.ts";
import { discoverOptions } from "../client/nodes.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { endWithStats } from "../client/replies.ts";

interface InventoryFlags extends ClientFlags, FilterFlags, DiscoveryFlags {
  facts: boolean;
}

const examples = `
Examples:
  choria tool inventory nodes.json
  choria tool inventory web.yaml -C web
  choria discover --dm inventory --do file=nodes.json -F os=linux

Groups and nodes that are in the file already stay there; nodes that answer are written anew.

Ends with 0 when every node answered, 2 when some did not, 1 on errors, 130 when interrupted.`;

/** `choria tool inventory`: write the file in which nodes are found without asking them. */
export function inventoryCommand(): Command {
  const inventory = new Command("inventory")
    .description("Ask nodes what they are and have, and write it to a file in which others find them.")
    .argument("<file>", "JSON, or YAML where it ends in .yaml or .yml");
  return addClientFlags(addDiscoveryFlags(addFilterFlags(inventory)))
    .option("--no-facts", "leave facts away")
    .addHelpText("after", examples)
    .action((file: string, flags: InventoryFlags) =>
      withFleet(flags, (session) => writeInventory(file, flags, session)),
    );
}

async function writeInventory(file: string, flags: InventoryFlags, session: ClientSession): Promise<void> {
  const { fleet, config, terminal, signal } = session;
  const old: JsonObject = existsSync(file) ? await readInventoryDocument(file) : {};
  const options = { ...(await discoverOptions(withAgent(flags, "rpcutil"), config)), signal };
  const request = fleet.request("rpcutil", "inventory", {}, options);
  const nodes = new Map(named(old.nodes));
  let count = 0;
  for await (const reply of request) {
    const node = nodeOf(reply, flags.facts);
    if (node === undefined) continue;
    nodes.set(reply.sender, node);
    count++;
  }
  if (count === 0) throw new Error("no responses received");
  const sorted = [...nodes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, node]) => node);
  const document = { $schema: schema, ...old, nodes: sorted };
  writeFileAtomic(file, await encode(file, document));
  terminal.out.write(`Wrote ${count} nodes to ${file}, which holds ${sorted.length} now\n`);
  endWithStats(request.stats);
}

const schema = "https://choria.io/schemas/choria/discovery/v1/inventory_file.json";

function named(nodes: unknown): [string, JsonObject][] {
  if (!Array.isArray(nodes)) return [];
  return nodes.filter(isObject).map((node): [string, JsonObject] => [String(node.name), node]);
}

function nodeOf({ ok, data, sender }: FleetReply, withFacts: boolean): JsonObject | undefined {
  if (!ok || !isObject(data)) return undefined;
  const { agents, classes, collectives, facts } = data;
  const texts = (value: unknown) => (isStringList(value) ? value : []);
  return {
    name: sender,
    collectives: texts(collectives),
    facts: withFacts && isObject(facts) ? facts : {},
    classes: texts(classes),
    agents: texts(agents),
  };
}

async function encode(file: string, document: JsonObject): Promise<string> {
  if (/\.ya?ml$/.test(file)) return (await import("yaml")).stringify(document);
  return `${JSON.stringify(document, null, 2)}\n`;
}
