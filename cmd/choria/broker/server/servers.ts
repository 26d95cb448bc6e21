import { Command, Option } from "commander";
import { formatTable, type TableContent } from "../../../../lib/cli/mod.ts";
import { askBrokers, type BrokerAnswer } from "../../../../lib/monitor/mod.ts";
import { formatBytes, formatCount, formatSpan } from "../../../../lib/std/mod.ts";
import { parseCount } from "../../client/filters.ts";
import { addBrokerFlags, type BrokerFlags, withSystem, writeJson } from "../session.ts";
import { compactNames, compare } from "./names.ts";

const orders = {
  name: ({ server }: BrokerAnswer) => server.text("name"),
  cluster: ({ server }: BrokerAnswer) => server.text("cluster"),
  conns: ({ data }: BrokerAnswer) => data.number("connections"),
  subs: ({ data }: BrokerAnswer) => data.number("subscriptions"),
  routes: ({ data }: BrokerAnswer) => data.list("routes").length,
  gws: ({ data }: BrokerAnswer) => data.list("gateways").length,
  mem: ({ data }: BrokerAnswer) => data.number("mem"),
  cpu: ({ data }: BrokerAnswer) => data.number("cpu"),
  slow: ({ data }: BrokerAnswer) => data.number("slow_consumers"),
  uptime: ({ data }: BrokerAnswer) => -data.time("start"),
  rtt: ({ rtt }: BrokerAnswer) => rtt,
};

interface ListFlags extends BrokerFlags {
  json?: true;
  sort: keyof typeof orders;
  reverse?: true;
  compact: boolean;
}

/** `choria broker server list`. */
export function listCommand(): Command {
  const list = new Command("list").alias("ls").description("List the brokers with their figures.");
  list.argument("[expect]", "end as soon as this many have answered", parseCount, 0);
  return addBrokerFlags(list)
    .option("-j, --json", "write one JSON document")
    .addOption(new Option("--sort <key>", "what to sort by").choices(Object.keys(orders)).default("rtt"))
    .option("-R, --reverse", "the other way round")
    .option("--no-compact", "write names with the domain that they share")
    .addHelpText("after", "\nExample:\n  choria broker server list --sort conns -R")
    .action((expect: number, flags: ListFlags, command: Command) =>
      withSystem(command, flags, async (session) => {
        const { fleet, terminal, signal } = session;
        const answers = await askBrokers(fleet.connection, undefined, { expect, signal });
        const key = orders[flags.sort];
        answers.sort((a, b) => compare(key(a), key(b)));
        if (flags.reverse) answers.reverse();
        if (flags.json)
          return writeJson(
            session,
            answers.map(({ document }) => document),
          );
        const now = Date.now();
        terminal.out.write(`${formatTable(serversTable(answers, flags.compact, now))}\n\n`);
        terminal.out.write(`${formatTable(clustersTable(answers))}\n`);
      }),
    );
}

function serversTable(answers: readonly BrokerAnswer[], isCompact: boolean, now: number): TableContent {
  const short = compactNames(
    answers.flatMap(({ server }) => [server.text("name"), server.text("host")]),
    isCompact,
  );
  const rows = answers.map(({ server, data, rtt }) => [
    short(server.text("name")),
    server.text("cluster"),
    short(server.text("host")),
    server.text("ver"),
    server.flag("jetstream") ? server.text("domain") || "yes" : "no",
    formatCount(data.number("connections")),
    formatCount(data.number("subscriptions")),
    data.list("routes").length,
    data.list("gateways").length,
    formatBytes(data.number("mem")),
    String(Math.round(data.number("cpu"))),
    data.number("cores"),
    formatCount(data.number("slow_consumers")),
    formatSpan(now - data.time("start")),
    `${Math.max(1, Math.round(rtt))}ms`,
  ]);
  const sum = (key: string) => answers.reduce((total, { data }) => total + data.number(key), 0);
  const count = (key: string) => new Set(answers.map(({ server }) => server.text(key)).filter(Boolean)).size;
  return {
    title: "Server Overview",
    head: [
      ...["Name", "Cluster", "Host", "Version", "JS", "Conns", "Subs", "Routes", "GWs"],
      ...["Mem", "CPU %", "Cores", "Slow", "Uptime", "RTT"],
    ],
    rows,
    footer: [
      "",
      String(count("cluster")),
      String(answers.length),
      count("ver") > 1 ? "X" : "",
      String(answers.filter(({ server }) => server.flag("jetstream")).length),
      formatCount(sum("connections")),
      formatCount(sum("subscriptions")),
      "",
      "",
      formatBytes(sum("mem")),
      "",
      "",
      formatCount(sum("slow_consumers")),
      "",
      "",
    ],
  };
}

function clustersTable(answers: readonly BrokerAnswer[]): TableContent {
  const clusters = new Map<string, BrokerAnswer[]>();
  for (const answer of answers) {
    const name = answer.server.text("cluster");
    clusters.set(name, [...(clusters.get(name) ?? []), answer]);
  }
  const figures = (of: readonly BrokerAnswer[]): number[] => [
    of.length,
    total(of, ({ data }) => data.list("gateways").length),
    total(of, ({ data }) => data.list("gateways").reduce((sum, one) => sum + one.number("inbound_connections"), 0)),
    total(of, ({ data }) => data.number("connections")),
  ];
  return {
    title: "Cluster Overview",
    head: ["Cluster", "Node Count", "Outgoing Gateways", "Incoming Gateways", "Connections"],
    rows: [...clusters].sort(([a], [b]) => compare(a, b)).map(([name, members]) => [name, ...figures(members)]),
    footer: ["", ...figures(answers)],
  };
}

function total(answers: readonly BrokerAnswer[], figure: (answer: BrokerAnswer) => number): number {
  return answers.reduce((sum, answer) => sum + figure(answer), 0);
}

/** `choria broker server ping`. */
export function pingCommand(): Command {
  const ping = new Command("ping").description("See which brokers answer, and how fast.");
  ping.argument("[expect]", "end as soon as this many have answered", parseCount, 0);
  return addBrokerFlags(ping)
    .option("--id", "write their ids too")
    .addHelpText("after", "\nExample:\n  choria broker server ping 3")
    .action((expect: number, flags: BrokerFlags & { id?: true }, command: Command) =>
      withSystem(command, flags, async ({ fleet, terminal, signal }) => {
        const answers = await askBrokers(fleet.connection, undefined, { expect, signal });
        for (const { server, rtt } of answers) {
          const name = flags.id ? `${server.text("id")} ${server.text("name")}` : server.text("name");
          terminal.out.write(`${name.padEnd(60)} rtt=${rtt.toFixed(3)}ms\n`);
        }
        const times = answers.map(({ rtt }) => rtt);
        const mean = times.reduce((sum, one) => sum + one, 0) / times.length;
        const [most, least, middle] = [Math.max(...times), Math.min(...times), mean].map((one) => one.toFixed(2));
        terminal.out.write(
          `\n---- ping statistics ----\n${answers.length} replies max: ${most} min: ${least} avg: ${middle}\n`,
        );
      }),
    );
}
