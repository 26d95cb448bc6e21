import { Command } from "commander";
import {
  decodeEvent,
  describeEvent,
  eventSubject,
  eventTypes,
  type LifecycleEvent,
} from "../../../lib/lifecycle/mod.ts";
import { decodeUtf8, errorText } from "../../../lib/std/mod.ts";
import { parseChoice, parseCount } from "../client/filters.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { refusals } from "../client/refusals.ts";

interface EventFlags extends ClientFlags {
  component?: string;
  type?: (typeof eventTypes)[number];
  json?: true;
  count: number;
}

const examples = `
Examples:
  choria tool event
  choria tool event --component server --type startup
  choria tool event --json --count 10 > events.jsonl

Runs until interrupted; needs a token that may view events.`;

/** `choria tool event`: lifecycle events as they happen. */
export function eventCommand(): Command {
  const event = new Command("event").description("Show what starts, stops and lives on the network, as it happens.");
  return addClientFlags(event)
    .option("--component <name>", "events of one component only, as server")
    .option("--type <type>", `events of one type only: ${eventTypes.join(", ")}`, parseChoice(eventTypes))
    .option("-j, --json", "write each event as the document that was sent")
    .option("--count <number>", "end after this many events", parseCount, 0)
    .addHelpText("after", examples)
    .action((flags: EventFlags) => withFleet(flags, (session) => watch(flags, session)));
}

async function watch(flags: EventFlags, session: ClientSession): Promise<void> {
  const { fleet, terminal, signal } = session;
  const { component, type, json, count } = flags;
  const subject =
    component === undefined && type === undefined ? "choria.lifecycle.event.>" : eventSubject(type, component);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let left = count;
  fleet.connection.subscribe(subject, ({ data }) => {
    const line = json ? decodeUtf8(data) : eventLine(data);
    terminal.out.write(`${line}\n`);
    if (--left === 0) resolve();
  });
  if (!json) terminal.out.write(`Waiting for events from topic ${subject} on ${fleet.connection.server}\n`);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await Promise.race([ended, refusals(fleet.connection, fleet.caller)]);
  signal.throwIfAborted();
}

/** Whatever anybody sends is shown, so that somebody sees what is wrong with it. */
function eventLine(data: Uint8Array): string {
  let event: LifecycleEvent;
  try {
    event = decodeEvent(data);
  } catch (error) {
    return `Not an event: ${errorText(error)}`;
  }
  return `${new Date(event.timestamp * 1_000).toTimeString().slice(0, 8)} ${describeEvent(event)}`;
}
