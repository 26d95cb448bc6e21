import { Command } from "commander";
import {
  addDiscoveryFlags,
  addFilterFlags,
  type DiscoveryFlags,
  type FilterFlags,
  withAgent,
} from "./client/filters.ts";
import { discoverOptions } from "./client/nodes.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "./client/open.ts";

interface DiscoverFlags extends ClientFlags, FilterFlags, DiscoveryFlags {
  json?: true;
  verbose?: true;
}

const examples = `
Examples:
  choria discover -C web -F os=linux
  choria discover -j -F country=mt | choria req rpcutil ping

Ends with 0 also when no node was found, 1 on errors, 130 when interrupted.`;

/** `choria discover`: name the nodes that filters match. */
export function command(): Command {
  const discover = new Command("discover")
    .alias("find")
    .description("Name the nodes that the filters match, each as it is found.");
  return addClientFlags(addDiscoveryFlags(addFilterFlags(discover)))
    .option("-j, --json", "write one JSON list, which other commands take as their nodes")
    .option("-v, --verbose", "tell how the nodes were found, and in what time")
    .addHelpText("after", examples)
    .action((flags: DiscoverFlags) => withFleet(flags, (session) => runDiscover(flags, session)));
}

async function runDiscover(flags: DiscoverFlags, { fleet, config, terminal, signal }: ClientSession): Promise<void> {
  const { out } = terminal;
  const options = await discoverOptions(withAgent(flags, "rpcutil"), config);
  const start = performance.now();
  const { method, nodes } = fleet.discovery({ ...options, signal });
  if (flags.verbose && !flags.json) out.write(`Discovering nodes using the ${method} method ....\n`);
  const found: string[] = [];
  for await (const node of nodes) {
    found.push(node);
    if (!flags.json) out.write(`${node}\n`);
  }
  if (flags.json) return void out.write(`${JSON.stringify(found, null, 2)}\n`);
  const seconds = ((performance.now() - start) / 1_000).toFixed(2);
  if (flags.verbose) {
    out.write(`\nDiscovered ${found.length} nodes using the ${method} method in ${seconds} seconds\n`);
  }
}
