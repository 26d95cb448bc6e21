import type { StreamInfo } from "@nats-io/jetstream";
import { Command, Option } from "commander";
import { formatTable } from "../../../../lib/cli/mod.ts";
import { formatBytes, formatCount } from "../../../../lib/std/mod.ts";
import { gather } from "../../client/filters.ts";
import { compare } from "../server/names.ts";
import { addBrokerFlags, type BrokerFlags, type StreamSession, withBrokerStreams, writeJson } from "../session.ts";
import { span, whole } from "./flags.ts";
import { ago, infoDocument, localTime } from "./info.ts";
import { isInternal } from "./pick.ts";

interface ListFlags extends BrokerFlags {
  all?: true;
  subject?: string;
  names?: true;
  json?: true;
}

/** `choria broker stream ls`. */
export function listCommand(): Command {
  const list = new Command("ls").aliases(["list", "l"]).description("List the streams, the smallest first.");
  return addBrokerFlags(list)
    .option("-a, --all", "those of buckets and libraries too")
    .option("--subject <subject>", "those that store a subject")
    .option("-n, --names", "their names alone")
    .option("-j, --json", "write the names as one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker stream ls --subject 'choria.node_metadata.>'")
    .action((_flags: ListFlags, command: Command) => {
      const flags = command.optsWithGlobals<ListFlags>();
      return withBrokerStreams(flags, (session) => listStreams(flags, session));
    });
}

async function listStreams(flags: ListFlags, session: StreamSession): Promise<void> {
  const { manager, terminal } = session;
  const isShown = (name: string) => flags.all === true || !isInternal(name);
  if (flags.names || flags.json) {
    const names = (await Array.fromAsync(manager.streams.names(flags.subject))).filter(isShown).sort();
    if (flags.json) writeJson(session, names);
    else terminal.out.write(names.map((name) => `${name}\n`).join(""));
    return;
  }
  const all = await Array.fromAsync(manager.streams.list(flags.subject));
  const shown = all.filter(({ config }) => isShown(config.name));
  if (shown.length > 0) terminal.out.write(`${streamsTable(shown, Date.now())}\n`);
  else terminal.out.write(`No Streams defined${all.length > 0 ? ", pass -a to include system streams" : ""}\n`);
}

/** Streams as a table, by size. */
export function streamsTable(streams: readonly StreamInfo[], now: number): string {
  const rows = bySize(streams).map(({ config, created, state }) => [
    config.name,
    config.description ?? "",
    localTime(created),
    formatCount(state.messages),
    formatBytes(state.bytes),
    ago(state.last_ts, now),
  ]);
  const head = ["Name", "Description", "Created", "Messages", "Size", "Last Message"];
  return formatTable({ title: "Streams", head, rows });
}

function bySize(streams: readonly StreamInfo[]): StreamInfo[] {
  const name = ({ config }: StreamInfo) => config.name;
  return streams.toSorted((a, b) => a.state.bytes - b.state.bytes || (name(a) < name(b) ? -1 : 1));
}

const reportOrders = {
  name: ({ config }: StreamInfo) => config.name,
  messages: ({ state }: StreamInfo) => state.messages,
  bytes: ({ state }: StreamInfo) => state.bytes,
  consumers: ({ state }: StreamInfo) => state.consumer_count,
  storage: ({ config }: StreamInfo) => config.storage,
};

interface ReportFlags extends BrokerFlags {
  subject?: string;
  cluster?: string;
  sort: keyof typeof reportOrders;
  reverse?: true;
  json?: true;
}

/** `choria broker stream report`. */
export function reportCommand(): Command {
  const report = new Command("report").description("Show figures of all streams.");
  return addBrokerFlags(report)
    .option("--subject <subject>", "streams that store a subject")
    .option("--cluster <name>", "streams that are kept in a cluster")
    .addOption(new Option("--sort <key>", "what to sort by").choices(Object.keys(reportOrders)).default("bytes"))
    .option("-R, --reverse", "begin with the largest")
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker stream report --sort messages -R")
    .action((_flags: ReportFlags, command: Command) => {
      const flags = command.opts<ReportFlags>();
      return withBrokerStreams(flags, (session) => showReport(flags, session));
    });
}

async function showReport(flags: ReportFlags, session: StreamSession): Promise<void> {
  const { manager, terminal } = session;
  if (!flags.json) terminal.out.write("Obtaining Stream stats\n\n");
  const all = await Array.fromAsync(manager.streams.list(flags.subject));
  const inCluster = all.filter(({ cluster }) => flags.cluster === undefined || cluster?.name === flags.cluster);
  const key = reportOrders[flags.sort];
  const streams = bySize(inCluster).sort((a, b) => compare(key(a), key(b)));
  if (flags.reverse) streams.reverse();
  if (flags.json) writeJson(session, streams.map(infoDocument));
  else if (streams.length === 0) terminal.out.write("No Streams defined\n");
  else terminal.out.write(`${reportTable(streams)}\n`);
}

function reportTable(streams: readonly StreamInfo[]): string {
  const rows = streams.map(({ config, state, cluster }) => [
    config.name,
    config.storage === "memory" ? "Memory" : "File",
    [config.placement?.cluster, ...(config.placement?.tags ?? [])].filter(Boolean).join(", "),
    formatCount(state.consumer_count),
    formatCount(state.messages),
    formatBytes(state.bytes),
    formatCount(state.lost?.msgs?.length ?? 0),
    formatCount(state.num_deleted ?? 0),
    config.metadata?.["_nats.req.level"] ?? "",
    (cluster?.replicas ?? []).length === 0
      ? ""
      : [`${cluster?.leader ?? "none"}*`, ...(cluster?.replicas ?? []).map(({ name }) => name)].join(", "),
  ]);
  const head = ["Stream", "Storage", "Placement", "Consumers", "Messages", "Bytes", "Lost", "Deleted"];
  return formatTable({ title: "Stream Report", head: [...head, "API Level", "Replicas"], rows });
}

interface FindFlags extends BrokerFlags {
  subject: string[];
  idle?: number;
  created?: number;
  empty?: true;
  consumers?: number;
  replicas?: number;
  invert?: true;
  names?: true;
}

/** `choria broker stream find`. */
export function findCommand(): Command {
  const find = new Command("find").description("Find streams by what they are like.");
  return addBrokerFlags(find)
    .option("--subject <subject>", "that store a subject; may be repeated", gather, [])
    .option("--idle <duration>", "that have stored nothing for some time", span)
    .option("--created <duration>", "that were made at least some time ago", span)
    .option("--empty", "that hold no messages")
    .option("--consumers <count>", "that have fewer consumers than this", whole)
    .option("--replicas <count>", "that have fewer copies than this", whole)
    .option("-i, --invert", "those that are not so")
    .option("-n, --names", "their names alone")
    .addHelpText("after", "\nExample:\n  choria broker stream find --idle 7d --names")
    .action((_flags: FindFlags, command: Command) => {
      const flags = command.opts<FindFlags>();
      return withBrokerStreams(flags, async ({ manager, terminal }) => {
        const now = Date.now();
        const all = await Array.fromAsync(manager.streams.list());
        const found = all.filter((stream) => matches(stream, flags, now) !== (flags.invert === true));
        if (flags.names)
          terminal.out.write(
            bySize(found)
              .map(({ config }) => `${config.name}\n`)
              .join(""),
          );
        else terminal.out.write(found.length === 0 ? "No Streams found\n" : `${streamsTable(found, now)}\n`);
      });
    });
}

/** Whether a stream is as the flags say, all of them. */
export function matches(
  { config, state, created }: StreamInfo,
  flags: Omit<FindFlags, "subject"> & { subject?: string[] },
  now: number,
): boolean {
  const last = Math.max(Date.parse(state.last_ts) || 0, Date.parse(created) || 0);
  const { subject = [], idle, created: age, consumers, replicas } = flags;
  return (
    subject.every((one) => (config.subjects ?? []).includes(one)) &&
    (idle === undefined || now - last >= idle) &&
    (age === undefined || now - Date.parse(created) >= age) &&
    (!flags.empty || state.messages === 0) &&
    (consumers === undefined || state.consumer_count < consumers) &&
    (replicas === undefined || config.num_replicas < replicas)
  );
}
