import type { Command } from "commander";
import type { FilterOptions } from "../../../lib/client/mod.ts";
import { isFile } from "../../../lib/std/mod.ts";

/** Flags that say which nodes are meant. */
export interface FilterFlags {
  wf: string[];
  wc: string[];
  wa: string[];
  wi: string[];
  with: string[];
  select?: string;
  target?: string;
}

/** Flags that say how nodes are found. */
export interface DiscoveryFlags {
  dm?: string;
  do: string[];
  discoveryTimeout?: number;
  discoveryWindow?: true;
  nodes?: string;
}

/** Add the flags of {@link FilterFlags}. */
export function addFilterFlags(command: Command): Command {
  return command
    .option("-F, --wf <fact=value>", "match nodes with a fact; may be repeated", gather, [])
    .option("-C, --wc <class>", "match nodes of a class; may be repeated", gather, [])
    .option("-A, --wa <agent>", "match nodes that have an agent; may be repeated", gather, [])
    .option("-I, --wi <identity>", "match nodes by name or /expression/; may be repeated", gather, [])
    .option("-W, --with <words>", "match classes and facts, separated by spaces; may be repeated", gather, [])
    .option("-S, --select <expression>", "match nodes by an expression")
    .option("-T, --target <collective>", "ask the nodes of a collective other than the main one");
}

/** Add the flags of {@link DiscoveryFlags}. */
export function addDiscoveryFlags(command: Command): Command {
  return command
    .option("--dm <method>", "how nodes are found: mc, broadcast, flatfile, file, external or inventory")
    .option(
      "--do <key=value>",
      "option of the discovery method, as file=NODES or command=PROGRAM; may be repeated",
      gather,
      [],
    )
    .option("--discovery-timeout <seconds>", "longest search for nodes", parseSeconds)
    .option("--discovery-window", "end the search as soon as answers stop coming")
    .option("--nodes <file>", "take the nodes from a file: one a line, JSON or YAML", parseFile);
}

/** What filter flags mean. */
export function filterOptions(flags: Omit<FilterFlags, "target">): FilterOptions {
  return {
    facts: flags.wf,
    classes: flags.wc,
    agents: flags.wa,
    identities: flags.wi,
    combined: flags.with,
    ...(flags.select === undefined ? {} : { compound: flags.select }),
  };
}

/** Flags that match nodes with an agent beside what they match already. */
export function withAgent<T extends FilterFlags>(flags: T, agent: string): T {
  return flags.wa.includes(agent) ? flags : { ...flags, wa: [...flags.wa, agent] };
}

/** Gather a flag that may be repeated. */
export function gather(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

/** A number of seconds. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new Error(`expected a number of seconds, got '${text}'`);
}

/** A whole number, 0 or more. */
export function parseCount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`expected a whole number, got '${text}'`);
}

/** One of some words. */
export function parseChoice<const T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new Error(`enum value must be one of ${words.join(",")}, got '${text}'`);
    return found;
  };
}

/**
 * Texts of the form `key=value`.
 * @throws {Error} `expected KEY=VALUE got 'x'`.
 */
export function parsePairs(texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((text): [string, string] => {
    const at = text.indexOf("=");
    if (at < 1) throw new Error(`expected KEY=VALUE got '${text}'`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

function parseFile(path: string): string {
  if (isFile(path)) return path;
  throw new Error(`path '${path}' does not exist`);
}
