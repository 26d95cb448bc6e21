import { Command, Option } from "commander";
import { formatTable } from "../../../../lib/cli/mod.ts";
import { formatCount } from "../../../../lib/std/mod.ts";
import { addBrokerFlags, type BrokerFlags, withBrokerStreams, writeJson } from "../session.ts";
import { infoDocument, infoText, stateText } from "./info.ts";
import { pickStream } from "./pick.ts";

interface InfoFlags extends BrokerFlags {
  json?: true;
  state?: true;
}

/** `choria broker stream info`. */
export function infoCommand(): Command {
  const info = new Command("info").aliases(["nfo", "i"]).description("Show what a stream is and holds.");
  return addBrokerFlags(info.argument("[stream]", "name of the stream"))
    .option("-j, --json", "write one JSON document")
    .option("--state", "what it holds alone")
    .addHelpText("after", "\nExample:\n  choria broker stream info CHORIA_EVENTS")
    .action((name: string | undefined, flags: InfoFlags) => show(name, flags, flags.state ?? false));
}

/** `choria broker stream state`. */
export function stateCommand(): Command {
  const state = new Command("state").description("Show what a stream holds.");
  return addBrokerFlags(state.argument("[stream]", "name of the stream"))
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker stream state CHORIA_EVENTS")
    .action((name: string | undefined, flags: InfoFlags) => show(name, flags, true));
}

function show(name: string | undefined, flags: InfoFlags, isState: boolean): Promise<void> {
  return withBrokerStreams(flags, async (session) => {
    const info = await pickStream(session, name);
    if (flags.json) writeJson(session, isState ? info.state : infoDocument(info));
    else session.terminal.out.write(`${isState ? stateText(info) : infoText(info)}\n`);
  });
}

interface SubjectsFlags extends BrokerFlags {
  json?: true;
  sort: "name" | "messages";
  reverse?: true;
  names?: true;
}

/** `choria broker stream subjects`. */
export function subjectsCommand(): Command {
  const subjects = new Command("subjects")
    .alias("subj")
    .description("Show under which subjects a stream holds messages.");
  subjects.argument("[stream]", "name of the stream").argument("[filter]", "subjects that are meant", ">");
  return addBrokerFlags(subjects)
    .option("-j, --json", "write one JSON document")
    .addOption(new Option("--sort <key>", "what to sort by").choices(["name", "messages"]).default("messages"))
    .option("-R, --reverse", "the other way round")
    .option("--names", "the subjects alone")
    .addHelpText(
      "after",
      "\nExample:\n  choria broker stream subjects CHORIA_EVENTS 'choria.lifecycle.event.startup.>'",
    )
    .action((name: string | undefined, filter: string, flags: SubjectsFlags) =>
      withBrokerStreams(flags, async (session) => {
        const { terminal, manager } = session;
        const stream = (await pickStream(session, name)).config.name;
        const { state } = await manager.streams.info(stream, { subjects_filter: filter });
        const found = sorted(Object.entries(state.subjects ?? {}), flags);
        if (flags.json) return writeJson(session, flags.names ? found.map(([one]) => one) : Object.fromEntries(found));
        if (flags.names) return void terminal.out.write(found.map(([one]) => `${one}\n`).join(""));
        if (found.length === 0) return void terminal.out.write(`No subjects found matching ${filter}\n`);
        const title = `${formatCount(found.length)} Subjects in stream ${stream}`;
        const rows = found.map(([subject, count]) => [subject, formatCount(count)]);
        terminal.out.write(`${formatTable({ title, head: ["Subject", "Count"], rows })}\n`);
      }),
    );
}

function sorted(entries: [string, number][], { sort, reverse }: SubjectsFlags): [string, number][] {
  const byName = ([a]: [string, number], [b]: [string, number]) => (a < b ? -1 : 1);
  entries.sort((a, b) => (sort === "messages" ? a[1] - b[1] : 0) || byName(a, b));
  return reverse ? entries.reverse() : entries;
}

/** `choria broker stream gaps`. */
export function gapsCommand(): Command {
  const gaps = new Command("gaps").description("Show which messages of a stream were deleted from between others.");
  return addBrokerFlags(gaps.argument("[stream]", "name of the stream"))
    .option("-j, --json", "write one JSON document: the first and the last sequence of each gap")
    .addHelpText("after", "\nExample:\n  choria broker stream gaps CHORIA_EVENTS")
    .action((name: string | undefined, flags: InfoFlags) =>
      withBrokerStreams(flags, async (session) => {
        const stream = (await pickStream(session, name)).config.name;
        const { state } = await session.manager.streams.info(stream, { deleted_details: true });
        const found = gapsOf(state.deleted ?? []);
        const lines = found.map(([first, last]) => (first === last ? `${first}\n` : `${first} to ${last}\n`));
        if (flags.json) writeJson(session, found);
        else session.terminal.out.write(found.length === 0 ? `No deleted messages in ${stream}\n` : lines.join(""));
      }),
    );
}

/** Numbers that follow each other as their first and last. */
export function gapsOf(sequences: readonly number[]): [first: number, last: number][] {
  const gaps: [number, number][] = [];
  for (const sequence of sequences) {
    const last = gaps.at(-1);
    if (last !== undefined && last[1] + 1 === sequence) last[1] = sequence;
    else gaps.push([sequence, sequence]);
  }
  return gaps;
}
