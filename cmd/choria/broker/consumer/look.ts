import type { ConsumerInfo } from "@nats-io/jetstream";
import { Command } from "commander";
import { formatTable } from "../../../../lib/cli/mod.ts";
import { formatCount, formatRemaining, formatSpan } from "../../../../lib/std/mod.ts";
import { addBrokerFlags, type BrokerFlags, withBrokerStreams, writeJson } from "../session.ts";
import { capital, localTime } from "../stream/info.ts";
import { pickStream } from "../stream/pick.ts";
import { infoDocument, infoText } from "./info.ts";
import { pickConsumer } from "./pick.ts";

interface ListFlags extends BrokerFlags {
  json?: true;
  names?: true;
}

/** `choria broker consumer ls`. */
export function listCommand(): Command {
  const list = new Command("ls").alias("list").description("List the consumers of a stream.");
  return addBrokerFlags(list.argument("[stream]", "name of the stream"))
    .option("-j, --json", "write the names as one JSON document")
    .option("-n, --names", "their names alone")
    .addHelpText("after", "\nExample:\n  choria broker consumer ls ORDERS")
    .action((stream: string | undefined, flags: ListFlags) =>
      withBrokerStreams(flags, async (session) => {
        const { manager, terminal } = session;
        const { config } = await pickStream(session, stream);
        const consumers = byName(await Array.fromAsync(manager.consumers.list(config.name)));
        if (flags.json)
          writeJson(
            session,
            consumers.map(({ name }) => name),
          );
        else if (flags.names) terminal.out.write(consumers.map(({ name }) => `${name}\n`).join(""));
        else terminal.out.write(consumers.length === 0 ? "No Consumers defined\n" : `${listTable(consumers)}\n`);
      }),
    );
}

function byName(consumers: readonly ConsumerInfo[]): ConsumerInfo[] {
  return consumers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function listTable(consumers: readonly ConsumerInfo[]): string {
  const rows = consumers.map(({ name, config, created, num_ack_pending, num_pending, delivered, ts }) => {
    const at = Date.parse(String(delivered.last_active ?? ""));
    const last = Number.isNaN(at) ? "never" : formatSpan(Date.parse(ts ?? "") - at);
    return [name, config.description ?? "", localTime(created), num_ack_pending, num_pending, last];
  });
  const head = ["Name", "Description", "Created", "Ack Pending", "Unprocessed", "Last Delivery"];
  return formatTable({ title: "Consumers", head, rows });
}

/** `choria broker consumer info`. */
export function infoCommand(): Command {
  const info = new Command("info").aliases(["nfo", "i"]).description("Show what a consumer is and how far it is.");
  return addBrokerFlags(info.argument("[stream]", "name of the stream").argument("[consumer]", "name of the consumer"))
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker consumer info ORDERS BILLING")
    .action((stream: string | undefined, name: string | undefined, flags: ListFlags) =>
      withBrokerStreams(flags, async (session) => {
        const found = await pickConsumer(session, stream, name);
        if (flags.json) writeJson(session, infoDocument(found));
        else session.terminal.out.write(infoText(found));
      }),
    );
}

/** `choria broker consumer report`. */
export function reportCommand(): Command {
  const report = new Command("report").description("Show figures of all consumers of a stream.");
  return addBrokerFlags(report.argument("[stream]", "name of the stream"))
    .addHelpText("after", "\nExample:\n  choria broker consumer report ORDERS")
    .action((stream: string | undefined, flags: BrokerFlags) =>
      withBrokerStreams(flags, async (session) => {
        const { manager, terminal } = session;
        const { config, state } = await pickStream(session, stream);
        const consumers = byName(await Array.fromAsync(manager.consumers.list(config.name)));
        terminal.out.write(`${reportTable(config.name, state.messages, consumers)}\n`);
      }),
    );
}

function reportTable(stream: string, messages: number, consumers: readonly ConsumerInfo[]): string {
  const rows = consumers.map(({ name, config, ...info }) => {
    const share = messages > 0 ? `${Math.trunc((info.num_pending / messages) * 100)}%` : "0";
    return [
      name,
      config.deliver_subject ? "Push" : "Pull",
      capital(config.ack_policy),
      config.ack_policy === "none" ? "" : formatRemaining((config.ack_wait ?? 0) / 1e6),
      formatCount(info.num_ack_pending),
      formatCount(info.num_redelivered),
      info.num_pending === 0 ? "0" : `${formatCount(info.num_pending)} / ${share}`,
      formatCount(info.ack_floor.stream_seq),
      config.metadata?.["_nats.req.level"] ?? "",
      (info.cluster?.replicas ?? []).length === 0
        ? ""
        : [`${info.cluster?.leader ?? "none"}*`, ...(info.cluster?.replicas ?? []).map((peer) => peer.name)].join(", "),
    ];
  });
  return formatTable({
    title: `Consumer report for ${stream} with ${formatCount(consumers.length)} consumers`,
    head: [
      ...["Consumer", "Mode", "Ack Policy", "Ack Wait", "Ack Pending"],
      ...["Redelivered", "Unprocessed", "Ack Floor", "API Level", "Cluster"],
    ],
    rows,
  });
}
