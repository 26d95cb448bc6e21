import { Command } from "commander";
import { plotValues, type Terminal } from "../../lib/cli/mod.ts";
import type { PingReply, Rejection } from "../../lib/client/mod.ts";
import { formatDuration, systemClock } from "../../lib/std/mod.ts";
import { addFilterFlags, type FilterFlags, filterOptions, parseCount, parseSeconds } from "./client/filters.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "./client/open.ts";

interface PingFlags extends ClientFlags, FilterFlags {
  silent?: true;
  names?: true;
  expect?: number;
  timeout?: number;
  graph?: true;
  json?: true;
  workers: number;
}

const examples = `
Examples:
  choria ping
  choria ping -F country=mt --graph
  choria ping --expect 10 --timeout 30

Ends with 0 when somebody answered, 1 when nobody did or on errors, 130 when interrupted.`;

/** Width of a bar of the graph, in milliseconds. */
const bucket = 50;

/** `choria ping`: see which nodes answer, and how soon. */
export function command(): Command {
  const ping = new Command("ping").description(
    "See which nodes answer, and how soon. Ends 300 ms after the last answer, at most after the discovery timeout.",
  );
  addClientFlags(addFilterFlags(ping));
  return ping
    .option("--expect <number>", "end when this many nodes have answered", parseCount)
    .option("--timeout <seconds>", "wait this long for answers, to the end", parseSeconds)
    .option("--silent", "show the statistics only")
    .option("--names", "show nothing but names")
    .option("--graph", "draw how many answers came when")
    .option("--json", "write one JSON document")
    .option("--workers <number>", "accepted for its old meaning, without effect", parseCount, 3)
    .addHelpText("after", examples)
    .action((flags: PingFlags) => withFleet(flags, (session) => runPing(flags, session)));
}

interface PingResult {
  replies: PingReply[];
  rejections: Rejection[];
  /** Milliseconds from the start of the process to the first message. */
  overhead: number;
}

async function runPing(flags: PingFlags, session: ClientSession): Promise<void> {
  const { terminal } = session;
  const result: PingResult = { replies: [], rejections: [], overhead: 0 };
  try {
    await listen(flags, session, result);
  } finally {
    if (flags.json) terminal.out.write(`${JSON.stringify(document(result), null, 2)}\n`);
    else if (!flags.names) terminal.out.write(summary(flags, result));
    warnOfRejected(terminal, result.rejections);
  }
  if (result.replies.length === 0) throw new Error("no responses received");
}

async function listen(flags: PingFlags, { fleet, terminal, signal }: ClientSession, result: PingResult): Promise<void> {
  const answers = fleet.ping({
    filter: filterOptions(flags),
    ...(flags.target === undefined ? {} : { collective: flags.target }),
    ...(flags.timeout === undefined ? {} : { timeout: flags.timeout * 1_000 }),
    ...(flags.expect === undefined ? {} : { expect: flags.expect }),
    onRejected: (rejection) => result.rejections.push(rejection),
    onSent: () => {
      result.overhead = systemClock.now() - performance.timeOrigin;
    },
    signal,
  });
  for await (const reply of answers) {
    result.replies.push(reply);
    if (flags.names) terminal.out.write(`${reply.sender}\n`);
    else if (!flags.silent && !flags.json) terminal.out.write(line(reply));
  }
}

function line({ sender, time }: PingReply): string {
  return `${sender.padEnd(40)} time=${Math.trunc(time)} ms\n`;
}

function statistics({ replies, overhead }: PingResult) {
  const times = replies.map(({ time }) => time);
  return {
    max: Math.max(...times),
    min: Math.min(...times),
    avg: times.reduce((sum, time) => sum + time, 0) / times.length,
    overhead,
  };
}

function summary(flags: PingFlags, result: PingResult): string {
  const title = "---- ping statistics ----\n";
  const gap = flags.silent ? "" : "\n\n";
  if (result.replies.length === 0) return `${gap}${title}`;
  const { max, min, avg, overhead } = statistics(result);
  const ms = (value: number) => formatDuration(Math.round(value));
  const figures = `max: ${ms(max)} min: ${ms(min)} avg: ${ms(avg)} overhead: ${ms(overhead)}`;
  return `${flags.graph ? `\n${graph(result.replies)}\n` : ""}${gap}${title}${result.replies.length} replies ${figures}\n`;
}

function graph(replies: readonly PingReply[]): string {
  const counts: number[] = [];
  for (const { time } of replies) {
    const at = Math.floor(time / bucket);
    while (counts.length <= at) counts.push(0);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return plotValues(counts, { caption: `Responses per ${bucket}ms` });
}

function document(result: PingResult): object {
  const { replies, rejections } = result;
  return {
    replies: replies.map(({ sender, time }) => ({ sender, time_ms: Math.round(time) })),
    statistics: replies.length === 0 ? null : roundAll(statistics(result)),
    ...(rejections.length === 0 ? {} : { rejected: rejections }),
  };
}

function roundAll(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${key}_ms`, Math.round(value)]));
}

/** Replies that were not believed are no answers, but whoever looks for a node should know of them. */
function warnOfRejected(terminal: Terminal, rejections: readonly Rejection[]): void {
  const [first] = rejections;
  if (first === undefined) return;
  const text = `choria: warning: ${rejections.length} replies were not accepted, the first as: ${first.reason}`;
  terminal.err.write(`${terminal.paint.yellow(text)}\n`);
}
