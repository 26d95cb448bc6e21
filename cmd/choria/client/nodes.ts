import { fstatSync } from "node:fs";
import { type DiscoverOptions, defaultDiscoveryOptions } from "../../../lib/client/mod.ts";
import type { Config } from "../../../lib/config/mod.ts";
import { flatfileSource, listSource, parseNodes } from "../../../lib/discovery/mod.ts";
import { type DiscoveryFlags, type FilterFlags, filterOptions, parseChoice, parsePairs } from "./filters.ts";

/** Time after which somebody who waits for nodes from a pipe is told so, in milliseconds. */
const patience = 2_000;

/**
 * How nodes are found, as flags, a pipe and the configuration say, in this order: `--nodes`, the results of another
 * command on standard input, `--dm`, the configuration.
 */
export async function discoverOptions(flags: FilterFlags & DiscoveryFlags, config: Config): Promise<DiscoverOptions> {
  const options: DiscoverOptions = {
    filter: filterOptions(flags),
    ...(flags.target === undefined ? {} : { collective: flags.target }),
    ...(flags.discoveryTimeout === undefined ? {} : { timeout: flags.discoveryTimeout * 1_000 }),
    ...(flags.discoveryWindow ? { windowed: true } : {}),
  };
  if (flags.nodes !== undefined) return { ...options, source: flatfileSource(flags.nodes) };
  const piped = flags.dm === undefined ? await pipedNodes() : undefined;
  if (piped !== undefined) return { ...options, source: listSource(piped) };
  return { ...options, ...methodOptions(flags, config) };
}

type MethodOptions = Pick<DiscoverOptions, "method" | "file" | "source" | "methodOptions">;

function methodOptions(flags: DiscoveryFlags, config: Config): MethodOptions {
  const method = flags.dm ?? config.get("default_discovery_method");
  const pairs = { ...defaultDiscoveryOptions(config), ...parsePairs(flags.do) };
  const { file, format, filter } = pairs;
  const isMore = format !== undefined || filter !== undefined;
  if (file !== undefined && isMore && (method === "flatfile" || method === "file")) {
    return { source: flatfileSource(file, format === undefined ? undefined : parseFormat(format), filter) };
  }
  return { method, methodOptions: pairs, ...(file === undefined ? {} : { file }) };
}

const parseFormat = parseChoice(["json", "yaml", "rpc", "text"]);

/** Nodes of another command's JSON results, where such results come through a pipe or from a file. */
async function pipedNodes(): Promise<string[] | undefined> {
  if (!isPiped()) return undefined;
  const notice = setTimeout(() => {
    process.stderr.write("choria: waiting for nodes on standard input; --dm mc asks the network instead\n");
  }, patience);
  try {
    const text = (await Bun.stdin.text()).trim();
    const isJson = (text.startsWith("{") && text.endsWith("}")) || (text.startsWith("[") && text.endsWith("]"));
    return isJson ? await parseNodes(text, "rpc", "standard input") : undefined;
  } finally {
    clearTimeout(notice);
  }
}

function isPiped(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile();
  } catch {
    // Standard input may be closed.
    return false;
  }
}
