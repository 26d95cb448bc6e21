import { Command, Option } from "commander";
import { askBrokers, type BrokerAnswer, type Topic } from "../../../../lib/monitor/mod.ts";
import type { JsonObject } from "../../../../lib/std/mod.ts";
import { parseCount } from "../../client/filters.ts";
import type { ClientSession } from "../../client/open.ts";
import { addBrokerFlags, type BrokerFlags, withSystem, writeJson } from "../session.ts";
import { compare } from "./names.ts";

/** Flags of reports. */
export interface ReportFlags extends BrokerFlags {
  host?: string;
  cluster?: string;
  account?: string;
  compact?: boolean;
  sort?: string;
  reverse?: true;
  json?: true;
}

/** How a report comes about. */
export interface Report {
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

/** A broker's name. */
export const nameOf = ({ server }: BrokerAnswer) => server.text("name");
/** The cluster that a broker is in. */
export const clusterOf = ({ server }: BrokerAnswer) => server.text("cluster");
