import type { Command } from "commander";
import {
  type FleetReply,
  type FleetRequest,
  jsonWriter,
  type RequestOptions,
  textWriter,
} from "../../../lib/client/mod.ts";
import type { JsonObject } from "../../../lib/std/mod.ts";
import type { ClientFlags, ClientSession } from "../client/open.ts";

/** Flags of every command that asks the agent `scout`. */
export interface ScoutFlags extends ClientFlags {
  json?: true;
  verbose?: true;
}

/** Add the flags of {@link ScoutFlags} that are not every command's. */
export function addScoutFlags(command: Command): Command {
  return command
    .option("-j, --json", "write one JSON document")
    .option("-v, --verbose", "show every node, and all figures");
}

/** What was asked, and what came back. */
export interface Asked {
  request: FleetRequest;
  /** In the order of their senders' names. */
  replies: readonly FleetReply[];
}

/** Call an action of the agent `scout`, with a bar that shows how far it is, or a JSON document at the end. */
export async function askScout(
  action: string,
  data: JsonObject,
  options: RequestOptions,
  flags: ScoutFlags,
  session: ClientSession,
): Promise<Asked> {
  const { fleet, terminal, signal } = session;
  const { out } = terminal;
  const isVerbose = flags.verbose ?? false;
  const plain = { isVerbose, display: undefined, sort: true, hasProgress: true, tellsDiscovery: false };
  const writer = flags.json ? jsonWriter(out, true) : textWriter({ terminal, out, ...plain });
  const tellsDiscovery = options.nodes === undefined && !flags.json;
  const request = fleet.request("scout", action, data, {
    ...options,
    signal,
    onEvent(event) {
      if (event.kind === "discovering" && tellsDiscovery) out.write("Discovering nodes .... ");
      else if (event.kind === "discovered" && tellsDiscovery) out.write(`${event.nodes.length}\n`);
      else if (event.kind === "sending") writer.sending?.(event.total);
      else if (event.kind === "progress") writer.progress?.(event.done);
    },
  });
  const replies: FleetReply[] = [];
  try {
    for await (const reply of request) {
      replies.push(reply);
      if (flags.json) writer.reply(reply, request);
    }
  } finally {
    writer.finish?.();
  }
  if (flags.json) writer.end(request);
  return { request, replies: replies.toSorted((a, b) => (a.sender < b.sender ? -1 : 1)) };
}
