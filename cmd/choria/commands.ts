import type { Command } from "commander";

/** One command of the command line, loaded only when it is called, so that `choria --help` answers at once. */
export interface CommandEntry {
  name: string;
  aliases?: readonly string[];
  summary: string;
  /** Started by programs, and left out of the help. */
  hidden?: true;
  load: () => Promise<CommandModule>;
}

/** A file in this folder. */
export interface CommandModule {
  /** Make the command with its flags, sub-commands and actions. */
  command: () => Command;
}

/** Every command, in the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: "broker",
    aliases: ["b"],
    summary: "Run the broker, and look after brokers and streams",
    load: () => import("./broker.ts"),
  },
  { name: "buildinfo", summary: "Show what this build of Choria is made of", load: () => import("./buildinfo.ts") },
  {
    name: "exec-supervisor",
    summary: "Run a long-running command and watch over it",
    hidden: true,
    load: () => import("./exec_supervisor.ts"),
  },
  {
    name: "complete",
    hidden: true,
    summary: "Tell a shell what the last of some words may become",
    load: () => import("./complete.ts"),
  },
  {
    name: "completion",
    summary: "Have a shell complete commands, agents and inputs",
    load: () => import("./completion.ts"),
  },
  {
    name: "discover",
    aliases: ["find"],
    summary: "Name the nodes that filters match",
    load: () => import("./discover.ts"),
  },
  {
    name: "election",
    aliases: ["elect", "elec"],
    summary: "Have one of many do something",
    load: () => import("./election.ts"),
  },
  {
    name: "executor",
    aliases: ["exec"],
    summary: "Look after the long-running commands of the fleet",
    load: () => import("./executor.ts"),
  },
  { name: "facts", summary: "Report the values of a fact", load: () => import("./facts.ts") },
  {
    name: "governor",
    aliases: ["gov"],
    summary: "Limit how many of a fleet do something at a time",
    load: () => import("./governor.ts"),
  },
  { name: "inventory", summary: "Show what a node is, has and does", load: () => import("./inventory.ts") },
  { name: "jwt", summary: "Create and inspect keys and tokens", load: () => import("./jwt.ts") },
  { name: "kv", summary: "Keep values under keys, in buckets", load: () => import("./kv.ts") },
  { name: "login", summary: "Log in to the AAA service", load: () => import("./login.ts") },
  {
    name: "machine",
    summary: "Write, try out and watch autonomous agents",
    load: () => import("./machine.ts"),
  },
  { name: "ping", summary: "See which nodes answer", load: () => import("./ping.ts") },
  { name: "plugin", summary: "Read the DDLs of agents, and generate from them", load: () => import("./plugin.ts") },
  { name: "req", aliases: ["rpc", "request"], summary: "Call an action of an agent", load: () => import("./req.ts") },
  { name: "scout", summary: "Look at the health checks of the fleet", load: () => import("./scout.ts") },
  { name: "server", summary: "Run the server", load: () => import("./server.ts") },
  { name: "tool", aliases: ["t"], summary: "Tools for operators", load: () => import("./tool.ts") },
];
