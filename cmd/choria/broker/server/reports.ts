import { Command, Option } from "commander";
import { formatTable } from "../../../../lib/cli/mod.ts";
import { askBrokers, type BrokerAnswer, type Fields, type Topic } from "../../../../lib/monitor/mod.ts";
import { formatBytes, formatCount, formatSpan, type JsonObject } from "../../../../lib/std/mod.ts";
import { parseCount } from "../../client/filters.ts";
import type { ClientSession } from "../../client/open.ts";
import { addBrokerFlags, type BrokerFlags, withSystem, writeJson } from "../session.ts";
import { compactNames, compare } from "./names.ts";

interface ReportFlags extends BrokerFlags {
  host?: string;
  cluster?: string;
  account?: string;
  compact?: boolean;
  sort?: string;
  reverse?: true;
  json?: true;
}

/** How a report comes about. */
interface Report {
  name: string;
  aliases?: readonly string[];
  description: string;
  topic: Topic | undefined;
  body?: (flags: ReportFlags) => JsonObject;
  /** Keys to sort by, the first being the default. */
  orders?: Readonly<Record<string, (answer: BrokerAnswer) => string | number>>;
  hasAccount?: true;
  hasCompact?: true;
  show: (answers: readonly BrokerAnswer[], flags: ReportFlags) => string;
}

/** A report of figures that all brokers give. */
export function reportCommand(report: Report): Command {
  const { name, aliases = [], description, topic, body, orders, show } = report;
  const command = new Command(name).aliases([...aliases]).description(description);
  command.argument("[limit]", "end as soon as this many brokers have answered", parseCount, 0);
  addBrokerFlags(command)
    .option("--host <name>", "one broker")
    .option("--cluster <name>", "the brokers of a cluster")
    .option("-R, --reverse", "the other way round")
    .option("-j, --json", "write one JSON document");
  if (report.hasAccount) command.option("--account <name>", "one account");
  if (report.hasCompact) command.option("--no-compact", "write names with the domain that they share");
  if (orders !== undefined) {
    const keys = Object.keys(orders);
    command.addOption(new Option("--sort <key>", "what to sort by").choices(keys).default(keys[0]));
  }
  return command
    .addHelpText("after", `\nExample:\n  choria broker server report ${name}`)
    .action((expect: number, _flags: ReportFlags, leaf: Command) => {
      const flags = leaf.optsWithGlobals<ReportFlags>();
      return withSystem(leaf, flags, async (session) => {
        const answers = await ask(topic, expect, body?.(flags) ?? {}, flags, session);
        const key = orders?.[flags.sort ?? ""];
        if (key !== undefined) answers.sort((a, b) => compare(key(a), key(b)));
        if (flags.reverse) answers.reverse();
        if (flags.json)
          writeJson(
            session,
            answers.map(({ document }) => document),
          );
        else session.terminal.out.write(`${show(answers, flags)}\n`);
      });
    });
}

async function ask(
  topic: Topic | undefined,
  expect: number,
  body: JsonObject,
  { host, cluster }: ReportFlags,
  { fleet, signal }: ClientSession,
): Promise<BrokerAnswer[]> {
  const answers = await askBrokers(fleet.connection, topic, { expect, body, signal });
  return answers.filter(
    ({ server }) =>
      (host === undefined || server.text("name") === host) &&
      (cluster === undefined || server.text("cluster") === cluster),
  );
}

const nameOf = ({ server }: BrokerAnswer) => server.text("name");
const clusterOf = ({ server }: BrokerAnswer) => server.text("cluster");

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
    const sums = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => figures.reduce((sum, row) => sum + (row[i] ?? 0), 0));
    const rows = answers.map(({ server }, i) => [
      short(server.text("name")) + (isLeader(answers[i]) ? "*" : ""),
      server.text("cluster"),
      ...(hasDomain ? [server.text("domain")] : []),
      ...storedCells(figures[i] ?? []),
    ]);
    const names = ["Server", "Cluster", ...(hasDomain ? ["Domain"] : [])];
    const head = ["Streams", "Consumers", "Messages", "Bytes", "Memory", "File", "API Req", "Pending"];
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
    const api = one?.below("api").number("total") ?? 0;
    const [memory, storage] = [one?.number("memory") ?? 0, one?.number("storage") ?? 0];
    return [streams.length, sum("consumer_count"), sum("messages"), sum("bytes"), memory, storage, api, pending];
  }
  const keys = ["streams", "consumers", "messages", "bytes", "memory", "storage"];
  return [...keys.map((key) => data.number(key)), data.below("api").number("total"), pending];
}

function storedCells(figures: readonly number[]): (string | number)[] {
  return figures.map((value, i) => (i === 7 ? value : i >= 3 && i <= 5 ? formatBytes(value) : formatCount(value)));
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

/** `choria broker server report routes`. */
export const routesReport: Report = {
  name: "routes",
  aliases: ["route"],
  description: "Show the connections between the brokers of a cluster.",
  topic: "ROUTEZ",
  orders: { server: nameOf, cluster: clusterOf },
  show(answers) {
    const routes = answers.flatMap(({ server, data }) => data.list("routes").map((route) => ({ server, route })));
    const rows = routes.map(({ server, route }) => [
      server.text("name"),
      server.text("cluster"),
      route.text("remote_name"),
      route.text("account"),
      addressOf(route),
      String(route.number("rid")),
      route.text("uptime"),
      route.text("rtt"),
      route.number("subscriptions"),
      formatBytes(route.number("in_bytes")),
      formatBytes(route.number("out_bytes")),
    ]);
    const sum = (key: string) => routes.reduce((total, { route }) => total + route.number(key), 0);
    const count = (of: (one: (typeof routes)[number]) => string) => new Set(routes.map(of)).size;
    return formatTable({
      title: "Cluster Report",
      head: [
        ...["Server", "Cluster", "Name", "Account", "Address", "ID"],
        ...["Uptime", "RTT", "Subs", "Bytes In", "Bytes Out"],
      ],
      rows,
      footer: [
        count(({ server }) => server.text("name")),
        count(({ server }) => server.text("cluster")),
        ...["", ""],
        routes.length,
        ...["", "", ""],
        sum("subscriptions"),
        formatBytes(sum("in_bytes")),
        formatBytes(sum("out_bytes")),
      ],
    });
  },
};

function addressOf(connection: Fields): string {
  const ip = connection.text("ip");
  return ip === "" ? "" : `${ip.includes(":") ? `[${ip}]` : ip}:${connection.number("port")}`;
}

/** `choria broker server report gateways`. */
export const gatewaysReport: Report = {
  name: "gateways",
  aliases: ["super", "gateway"],
  description: "Show the connections between clusters.",
  topic: "GATEWAYZ",
  body: () => ({ accounts: true }),
  orders: { cluster: clusterOf, server: nameOf },
  show(answers) {
    const links = answers.flatMap(({ server, data }) => [
      ...data.map("outbound_gateways").map(([name, link]) => ({ server, name, kind: "Outbound", link })),
      ...Object.keys(data.below("inbound_gateways").document).flatMap((name) =>
        data
          .below("inbound_gateways")
          .list(name)
          .map((link) => ({ server, name, kind: "Inbound", link })),
      ),
    ]);
    const rows = links.map(({ server, name, kind, link }) => {
      const connection = link.below("connection");
      return [
        server.text("name"),
        name,
        connection.number("port"),
        kind,
        addressOf(connection),
        String(connection.number("cid")),
        connection.text("uptime"),
        connection.text("rtt"),
        formatBytes(bytesOf(connection)),
        link.list("accounts").length,
      ];
    });
    const bytes = links.reduce((sum, { link }) => sum + bytesOf(link.below("connection")), 0);
    return formatTable({
      title: "Super Cluster Report",
      head: ["Server", "Name", "Port", "Kind", "Connection", "ID", "Uptime", "RTT", "Bytes", "Accounts"],
      rows,
      footer: [
        String(answers.length),
        String(new Set(links.map(({ name }) => name)).size),
        ...["", ""],
        String(links.length),
        ...["", "", ""],
        formatBytes(bytes),
        "",
      ],
    });
  },
};

function bytesOf(connection: Fields): number {
  return connection.number("in_bytes") + connection.number("out_bytes");
}

/** `choria broker server report leafnodes`. */
export const leafnodesReport: Report = {
  name: "leafnodes",
  aliases: ["leaf", "leafz"],
  description: "Show the connections of leaf nodes.",
  topic: "LEAFZ",
  body: ({ account }) => (account === undefined ? {} : { account }),
  hasAccount: true,
  orders: { server: nameOf },
  show(answers) {
    const rows = answers.flatMap(({ server, data }) =>
      data
        .list("leafs")
        .map((leaf) => [
          server.text("name"),
          leaf.text("name"),
          leaf.text("account"),
          addressOf(leaf),
          leaf.text("rtt"),
          formatCount(leaf.number("in_msgs")),
          formatCount(leaf.number("out_msgs")),
          formatBytes(leaf.number("in_bytes")),
          formatBytes(leaf.number("out_bytes")),
          leaf.number("subscriptions"),
          leaf.text("compression"),
          String(leaf.flag("is_spoke")),
        ]),
    );
    const head = ["Server", "Name", "Account", "Address", "RTT", "Msgs In", "Msgs Out", "Bytes In", "Bytes Out"];
    return formatTable({ title: "Leafnode Report", head: [...head, "Subs", "Compressed", "Spoke"], rows });
  },
};

/** `choria broker server report health`. */
export const healthReport: Report = {
  name: "health",
  description: "Show whether the brokers say that they are well.",
  topic: "HEALTHZ",
  body: () => ({ details: true }),
  orders: { server: nameOf, cluster: clusterOf },
  show(answers) {
    let problems = 0;
    const rows = answers.flatMap(({ server, data }) => {
      const errors = data.list("errors");
      problems += errors.length;
      const status = `${data.text("status")} (${data.number("status_code") || 200})`;
      const head = [server.text("name"), server.text("cluster"), server.text("domain"), status];
      const [first, ...more] = errors.map((one) => [one.text("type"), one.text("error")]);
      return [[...head, ...(first ?? ["", ""])], ...more.map((one) => ["", "", "", "", ...one])];
    });
    const well = answers.filter(({ data }) => data.text("status") === "ok").length;
    const clusters = new Set(answers.map(clusterOf)).size;
    return formatTable({
      title: "Health Report",
      head: ["Server", "Cluster", "Domain", "Status", "Type", "Error"],
      rows,
      footer: [
        String(answers.length),
        String(clusters),
        "",
        `ok: ${well} / err: ${answers.length - well}`,
        "",
        problems,
      ],
    });
  },
};

/** `choria broker server report cpu`. */
export const cpuReport: Report = usageReport("cpu", "CPU", (value) => String(Math.round(value)));

/** `choria broker server report mem`. */
export const memoryReport: Report = usageReport("mem", "Memory", formatBytes);

const longestBar = 30;

function usageReport(key: "cpu" | "mem", label: string, show: (value: number) => string): Report {
  return {
    name: key,
    description: `Show how much ${key === "cpu" ? "of a processor" : "memory"} the brokers use.`,
    topic: undefined,
    orders: { use: ({ data }) => -data.number(key), server: nameOf },
    show(answers) {
      const most = Math.max(1, ...answers.map(({ data }) => data.number(key)));
      const width = Math.max(...answers.map((answer) => nameOf(answer).length));
      const lines = answers.map((answer) => {
        const value = answer.data.number(key);
        const bar = "█".repeat(Math.round((value / most) * longestBar));
        return `  ${nameOf(answer).padStart(width)}: ${bar} (${show(value)})`;
      });
      return `${label} Usage\n\n${lines.join("\n")}`;
    },
  };
}
