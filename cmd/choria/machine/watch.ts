import { Command } from "commander";
import { harmlessText } from "../../../lib/cli/mod.ts";
import {
  decodeMachineEvent,
  describeMachineEvent,
  type MachineEvent,
  machineSubjects,
} from "../../../lib/machine/mod.ts";
import { errorText, jsonLine } from "../../../lib/std/mod.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { refusals } from "../client/refusals.ts";

interface WatchFlags extends ClientFlags {
  transitions?: true;
  watchers?: true;
  type?: string[];
  identity?: string;
  machine?: string;
  json?: true;
}

const examples = `
Examples:
  choria machine watch
  choria machine watch --transitions --machine check_choria
  choria machine watch --watchers --type nagios --type exec --identity web1.example.net

Runs until interrupted; needs a token that may view events.`;

/** `choria machine watch`: what the machines of the fleet do, as they do it. */
export function watchCommand(): Command {
  const watch = new Command("watch").description("Show what the machines of the fleet do, as they do it.");
  return addClientFlags(watch)
    .option("--transitions", "show transitions only")
    .option("--watchers", "show what watchers tell only")
    .option("--type <kind>", "show watchers of this kind only; may be repeated", collect)
    .option("--identity <name>", "show machines of this node only")
    .option("--machine <name>", "show machines of this name only")
    .option("-j, --json", "write each event as the document that was sent")
    .addHelpText("after", examples)
    .action((flags: WatchFlags) => withFleet(flags, (session) => follow(flags, session)));
}

function collect(value: string, previous: string[] = []): string[] {
  if (!/^[a-z_]+$/.test(value)) throw new Error(`"${value}" is no kind of watcher`);
  return [...previous, value];
}

async function follow(flags: WatchFlags, { fleet, terminal, signal }: ClientSession): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  for (const subject of subjectsOf(flags)) {
    fleet.connection.subscribe(subject, ({ data }) => {
      const line = lineOf(data, flags);
      if (line !== undefined) terminal.out.write(`${line}\n`);
    });
  }
  signal.addEventListener("abort", () => resolve(), { once: true });
  await Promise.race([ended, refusals(fleet.connection, fleet.caller)]);
  signal.throwIfAborted();
}

function subjectsOf({ transitions, watchers, type = [] }: WatchFlags): string[] {
  const all = !transitions && !watchers && type.length === 0;
  const kinds = type.length === 0 ? [machineSubjects.watchers()] : type.map((kind) => machineSubjects.watchers(kind));
  return [
    ...(transitions || all ? [machineSubjects.transitions] : []),
    ...(watchers || all || type.length > 0 ? kinds : []),
  ];
}

/** Whatever anybody sends is shown, so that somebody sees what is wrong with it. */
function lineOf(data: Uint8Array, flags: WatchFlags): string | undefined {
  let event: MachineEvent;
  try {
    event = decodeMachineEvent(data);
  } catch (error) {
    return `Not an event of a machine: ${errorText(error)}`;
  }
  if (flags.identity !== undefined && event.identity !== flags.identity) return undefined;
  if (flags.machine !== undefined && event.machine !== flags.machine) return undefined;
  if (flags.json) return jsonLine(data);
  const time = new Date(event.timestamp * 1_000).toTimeString().slice(0, 8);
  return `[${time}] ${harmlessText(describeMachineEvent(event)).replaceAll("\n", " ")}`;
}
