import { Command, InvalidArgumentError } from "commander";
import { jsonWriter, type ResultWriter, textWriter } from "../../lib/client/mod.ts";
import type { JsonObject } from "../../lib/std/mod.ts";
import { addDiscoveryFlags, addFilterFlags, type DiscoveryFlags, type FilterFlags } from "./client/filters.ts";
import { discoverOptions } from "./client/nodes.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "./client/open.ts";
import { watchCommand } from "./executor/watch.ts";

interface ExecutorFlags extends ClientFlags, FilterFlags, DiscoveryFlags {
  json?: true;
}

const examples = `
Examples:
  choria executor info 640e660a0cd964032faa
  choria executor signal 15 640e660a0cd964032faa -I web1.example.net
  choria executor watch
  choria executor watch 640e660a0cd964032faa`;

/** `choria executor`: the long-running commands of the fleet. */
export function command(): Command {
  return new Command("executor")
    .alias("exec")
    .description("Look after the long-running commands of the fleet.")
    .addHelpText("after", examples)
    .addCommand(infoCommand())
    .addCommand(signalCommand())
    .addCommand(watchCommand());
}

function infoCommand(): Command {
  const info = new Command("info").description("Show how a command is doing.").argument("<id>", "which command");
  return withFlags(info).action((id: string, flags: ExecutorFlags) => call("status", { id }, flags));
}

function signalCommand(): Command {
  const signal = new Command("signal")
    .aliases(["sig", "kill"])
    .description("Send a signal to a command.")
    .argument("<signal>", "number of the signal", signalNumber)
    .argument("<id>", "which command");
  return withFlags(signal).action((number: number, id: string, flags: ExecutorFlags) =>
    call("signal", { id, signal: number }, flags),
  );
}

function withFlags(command: Command): Command {
  return addClientFlags(addDiscoveryFlags(addFilterFlags(command)))
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", examples);
}

function call(action: string, data: JsonObject & { id: string }, flags: ExecutorFlags): Promise<void> {
  return withFleet(flags, (session) => ask(action, data, flags, session));
}

/** Every node is asked; most of them do not have the command, and say nothing worth showing. */
async function ask(
  action: string,
  data: JsonObject & { id: string },
  flags: ExecutorFlags,
  session: ClientSession,
): Promise<void> {
  const { fleet, config, signal } = session;
  const ddl = await fleet.ddl("executor");
  const options = { ...(await discoverOptions(flags, config)), ddl, signal };
  const request = fleet.request("executor", action, data, options);
  const writer = writerOf(flags, session);
  const reasons = new Set<string>();
  let isFound = false;
  for await (const reply of request) {
    if (reply.statusmsg.endsWith(notFound)) continue;
    if (!reply.ok) reasons.add(`${reply.sender}: ${reply.statusmsg}`);
    isFound ||= reply.ok;
    writer.reply(reply, request);
  }
  if (isFound || flags.json) writer.end(request);
  if (isFound) return;
  throw new Error([...reasons].join(", ") || `No node has the command ${data.id}`);
}

/** What a node says that does not have a command. */
const notFound = "specification not found";

function writerOf(flags: ExecutorFlags, { terminal }: ClientSession): ResultWriter {
  const { out } = terminal;
  if (flags.json) return jsonWriter(out, true);
  const plain = { sort: true, isVerbose: false, display: undefined, hasProgress: false, tellsDiscovery: false };
  return textWriter({ terminal, out, ...plain });
}

function signalNumber(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) <= 64) return Number(text);
  throw new InvalidArgumentError("A signal is a number from 0 to 64.");
}
