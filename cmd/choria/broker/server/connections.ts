import { Command, Option } from "commander";
import { formatTable } from "../../../../lib/cli/mod.ts";
import { type BrokerClient, type ConnectionFilter, listConnections } from "../../../../lib/monitor/mod.ts";
import { formatBytes, formatCount } from "../../../../lib/std/mod.ts";
import { parseChoice, parseCount } from "../../client/filters.ts";
import type { ClientSession } from "../../client/open.ts";
import { addBrokerFlags, type BrokerFlags, withSystem, writeJson } from "../session.ts";
import { compare } from "./names.ts";

const figures = {
  "in-bytes": "in_bytes",
  "out-bytes": "out_bytes",
  "in-msgs": "in_msgs",
  "out-msgs": "out_msgs",
  cid: "cid",
  subs: "subscriptions",
} as const;

const states = ["open", "closed", "all"] as const;

interface ConnectionFlags extends BrokerFlags {
  account?: string;
  sort: keyof typeof figures | "uptime";
  top: number;
  subject?: string;
  username?: string;
  state: (typeof states)[number];
  host?: string;
  cluster?: string;
  reverse?: true;
  json?: true;
}

/** `choria broker server report connections`. */
export function connectionsCommand(): Command {
  const connections = new Command("connections")
    .aliases(["conn", "connz", "conns"])
    .description("Show who is connected, the least busy first.")
    .argument("[limit]", "end as soon as this many brokers have answered", parseCount, 0);
  return addBrokerFlags(connections)
    .option("--account <name>", "connections of an account")
    .addOption(
      new Option("--sort <key>", "what to sort by").choices([...Object.keys(figures), "uptime"]).default("subs"),
    )
    .option("--top <count>", "at most this many", parseCount, 1_000)
    .option("--subject <subject>", "connections that listen to a subject")
    .option("--username <name>", "connections of somebody")
    .option("--state <state>", "open, closed or all", parseChoice(states), "open")
    .option("--host <name>", "connections to one broker")
    .option("--cluster <name>", "connections to the brokers of a cluster")
    .option("-R, --reverse", "the other way round")
    .option("-j, --json", "write one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  choria broker server report connections --account choria --sort in-msgs -R --top 10",
    )
    .action((expect: number, _flags: ConnectionFlags, command: Command) => {
      const flags = command.optsWithGlobals<ConnectionFlags>();
      return withSystem(command, flags, (session) => showConnections(expect, flags, session));
    });
}

async function showConnections(expect: number, flags: ConnectionFlags, session: ClientSession): Promise<void> {
  const { fleet, terminal, signal } = session;
  const found = (await listConnections(fleet.connection, filterOf(flags), { expect, signal })).filter(
    ({ server }) =>
      (flags.host === undefined || server.text("name") === flags.host) &&
      (flags.cluster === undefined || server.text("cluster") === flags.cluster),
  );
  const top = sorted(found, flags).slice(0, flags.top);
  if (flags.json)
    return writeJson(
      session,
      top.map(({ document }) => document),
    );
  if (found.length === 0) return void terminal.out.write("No connections found\n");
  terminal.out.write(`\n${connectionsTable(top, found, flags.sort)}\n\n${brokersTable(found)}\n`);
}

function filterOf({ account, subject, username: user, state }: ConnectionFlags): ConnectionFilter {
  return {
    state,
    ...(account === undefined ? {} : { account }),
    ...(subject === undefined ? {} : { subject }),
    ...(user === undefined ? {} : { user }),
  };
}

function sorted(clients: readonly BrokerClient[], { sort, reverse }: ConnectionFlags): BrokerClient[] {
  const key = ({ connection }: BrokerClient) =>
    sort === "uptime" ? -connection.time("start") : connection.number(figures[sort]);
  const all = clients.toSorted((a, b) => compare(key(a), key(b)));
  return reverse ? all.reverse() : all;
}

/** Names of connections are what clients make of them. */
const longestName = 40;

function connectionsTable(shown: readonly BrokerClient[], all: readonly BrokerClient[], sort: string): string {
  const rows = shown.map(({ connection, server }) => [
    String(connection.number("cid")),
    shortened(connection.text("name")),
    server.text("name"),
    server.text("cluster"),
    `${connection.text("ip")}:${connection.number("port")}`,
    connection.text("account"),
    connection.text("uptime"),
    formatCount(connection.number("in_msgs")),
    formatCount(connection.number("out_msgs")),
    formatBytes(connection.number("in_bytes")),
    formatBytes(connection.number("out_bytes")),
    formatCount(connection.number("subscriptions")),
  ]);
  const sum = (key: string) => all.reduce((total, { connection }) => total + connection.number(key), 0);
  const footer = [
    ...["", `Totals for ${formatCount(all.length)} connections`, "", "", "", "", ""],
    formatCount(sum("in_msgs")),
    formatCount(sum("out_msgs")),
    formatBytes(sum("in_bytes")),
    formatBytes(sum("out_bytes")),
    formatCount(sum("subscriptions")),
  ];
  return formatTable({
    title: `Top ${formatCount(shown.length)} Connections out of ${formatCount(all.length)} by ${sort}`,
    head: [
      ...["CID", "Name", "Server", "Cluster", "IP", "Account", "Uptime"],
      ...["In Msgs", "Out Msgs", "In Bytes", "Out Bytes", "Subs"],
    ],
    rows,
    ...(all.length > 1 ? { footer } : {}),
  });
}

function shortened(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName)} ..` : name;
}

function brokersTable(clients: readonly BrokerClient[]): string {
  const counts = new Map<string, { cluster: string; count: number }>();
  for (const { server } of clients) {
    const name = server.text("name");
    const before = counts.get(name)?.count ?? 0;
    counts.set(name, { cluster: server.text("cluster"), count: before + 1 });
  }
  const rows = [...counts]
    .sort(([a], [b]) => compare(a, b))
    .map(([name, { cluster, count }]) => [name, cluster, count]);
  return formatTable({ title: "Connections per server", head: ["Server", "Cluster", "Connections"], rows });
}

const accountFigures = {
  "in-bytes": "in_bytes",
  "out-bytes": "out_bytes",
  "in-msgs": "in_msgs",
  "out-msgs": "out_msgs",
  conns: "connections",
  subs: "subscriptions",
} as const;

type AccountFigures = Record<(typeof accountFigures)[keyof typeof accountFigures], number>;

interface AccountFlags extends BrokerFlags {
  sort: keyof typeof accountFigures;
  top: number;
  reverse?: true;
  json?: true;
}

/** `choria broker server report accounts`. */
export function accountsCommand(): Command {
  const accounts = new Command("accounts").alias("acct").description("Show what goes on in each account.");
  accounts
    .argument("[account]", "one account")
    .argument("[limit]", "end as soon as this many brokers have answered", parseCount, 0);
  return addBrokerFlags(accounts)
    .addOption(new Option("--sort <key>", "what to sort by").choices(Object.keys(accountFigures)).default("subs"))
    .option("--top <count>", "at most this many", parseCount, 1_000)
    .option("-R, --reverse", "the other way round")
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker server report accounts --sort conns")
    .action((account: string | undefined, expect: number, _flags: AccountFlags, command: Command) => {
      const flags = command.optsWithGlobals<AccountFlags>();
      return withSystem(command, flags, async (session) => {
        const { fleet, terminal, signal } = session;
        const filter = account === undefined ? {} : { account };
        const clients = await listConnections(fleet.connection, filter, { expect, signal });
        const key = accountFigures[flags.sort];
        const all = [...byAccount(clients)].sort(([, a], [, b]) => a[key] - b[key]);
        if (flags.reverse) all.reverse();
        const shown = all.slice(0, flags.top);
        if (flags.json)
          return writeJson(
            session,
            shown.map(([name, one]) => ({ account: name, ...one })),
          );
        terminal.out.write(`\n${accountsTable(shown)}\n`);
      });
    });
}

/** Figures of connections, added up for each account. */
function byAccount(clients: readonly BrokerClient[]): Map<string, AccountFigures> {
  const accounts = new Map<string, AccountFigures>();
  for (const { connection } of clients) {
    const name = connection.text("account");
    const sums = accounts.get(name) ?? {
      connections: 0,
      in_msgs: 0,
      out_msgs: 0,
      in_bytes: 0,
      out_bytes: 0,
      subscriptions: 0,
    };
    for (const key of ["in_msgs", "out_msgs", "in_bytes", "out_bytes", "subscriptions"] as const) {
      sums[key] += connection.number(key);
    }
    sums.connections++;
    accounts.set(name, sums);
  }
  return accounts;
}

function accountsTable(accounts: readonly [string, AccountFigures][]): string {
  return formatTable({
    title: `${accounts.length} Accounts Overview`,
    head: ["Account", "Connections", "In Msgs", "Out Msgs", "In Bytes", "Out Bytes", "Subs"],
    rows: accounts.map(([name, one]) => [
      name,
      formatCount(one.connections),
      formatCount(one.in_msgs),
      formatCount(one.out_msgs),
      formatBytes(one.in_bytes),
      formatBytes(one.out_bytes),
      formatCount(one.subscriptions),
    ]),
  });
}
