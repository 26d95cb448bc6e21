import { formatTable } from "../../../../lib/cli/mod.ts";
import type { BrokerAnswer } from "../../../../lib/monitor/mod.ts";
import { formatBytes, formatCount, formatSpan } from "../../../../lib/std/mod.ts";
import { compactNames } from "./names.ts";
import { clusterOf, nameOf, type Report } from "./report.ts";

/** `choria broker server report jetstream`. */
export const jetstreamReport: Report = {
  name: "jetstream",
  aliases: ["jsz", "js"],
  description: "Show what the brokers store.",
  topic: "JSZ",
  body: ({ account }) => ({
    raft: true,
    ...(account === undefined ? {} : { acc: account, accounts: true, streams: true }),
  }),
  hasAccount: true,
  hasCompact: true,
  orders: {
    cluster: clusterOf,
    name: nameOf,
    streams: ({ data }) => data.number("streams"),
    consumers: ({ data }) => data.number("consumers"),
    msgs: ({ data }) => data.number("messages"),
    mbytes: ({ data }) => data.number("bytes"),
    mem: ({ data }) => data.number("memory"),
    file: ({ data }) => data.number("storage"),
    api: ({ data }) => data.below("api").number("total"),
    err: ({ data }) => data.below("api").number("errors"),
  },
  show(answers, flags) {
    const short = compactNames(answers.map(nameOf), flags.compact);
    const hasDomain = answers.some(({ server }) => server.text("domain") !== "");
    const figures = answers.map((answer) => storedFigures(answer, flags.account));
    const sums = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => figures.reduce((sum, row) => sum + (row[i] ?? 0), 0));
    const rows = answers.map(({ server }, i) => [
      short(server.text("name")) + (isLeader(answers[i]) ? "*" : ""),
      server.text("cluster"),
      ...(hasDomain ? [server.text("domain")] : []),
      ...storedCells(figures[i] ?? []),
    ]);
    const names = ["Server", "Cluster", ...(hasDomain ? ["Domain"] : [])];
    const head = ["Streams", "Consumers", "Messages", "Bytes", "Memory", "File", "API Req", "API Err", "Pending"];
    const footer = ["", "", ...(hasDomain ? [""] : []), ...storedCells(sums)];
    const summary = formatTable({ title: "JetStream Summary", head: [...names, ...head], rows, footer });
    return [summary, ...raftTable(answers)].join("\n\n");
  },
};

function storedFigures({ data }: BrokerAnswer, account: string | undefined): number[] {
  const pending = data.below("meta_cluster").number("pending");
  const one = data.list("account_details").find((detail) => detail.text("name") === account);
  if (account !== undefined) {
    const streams = one?.list("stream_detail").map((stream) => stream.below("state")) ?? [];
    const sum = (key: string) => streams.reduce((total, state) => total + state.number(key), 0);
    const api = one?.below("api");
    const calls = [api?.number("total") ?? 0, api?.number("errors") ?? 0];
    const [memory, storage] = [one?.number("memory") ?? 0, one?.number("storage") ?? 0];
    return [streams.length, sum("consumer_count"), sum("messages"), sum("bytes"), memory, storage, ...calls, pending];
  }
  const keys = ["streams", "consumers", "messages", "bytes", "memory", "storage"];
  const api = data.below("api");
  return [...keys.map((key) => data.number(key)), api.number("total"), api.number("errors"), pending];
}

function storedCells(figures: readonly number[]): (string | number)[] {
  return figures.map((value, i) => (i === 8 ? value : i >= 3 && i <= 5 ? formatBytes(value) : formatCount(value)));
}

function isLeader(answer: BrokerAnswer | undefined): boolean {
  const meta = answer?.data.below("meta_cluster");
  return meta !== undefined && meta.text("leader") !== "" && meta.text("leader") === answer?.server.text("name");
}

/** The group that decides where streams are kept; only clusters have one, and its leader knows most of it. */
function raftTable(answers: readonly BrokerAnswer[]): string[] {
  const meta = (answers.find(isLeader) ?? answers.find(({ data }) => data.has("meta_cluster")))?.data.below(
    "meta_cluster",
  );
  if (meta === undefined || !meta.has("name")) return [];
  const rows = [
    [meta.text("leader"), "yes", "true", "true", "0s", "0"],
    ...meta
      .list("replicas")
      .map((peer) => [
        peer.text("name"),
        "",
        String(peer.flag("current")),
        String(!peer.flag("offline")),
        formatSpan(peer.number("active") / 1e6),
        formatCount(peer.number("lag")),
      ]),
  ];
  const head = ["Connection Name", "Leader", "Current", "Online", "Active", "Lag"];
  return [formatTable({ title: "RAFT Meta Group Information", head, rows })];
}
