import { Command, Option } from "commander";
import { formatReport, type ReportRow } from "../../../../lib/cli/mod.ts";
import { askBrokers, type BrokerAnswer, type Fields, type Topic } from "../../../../lib/monitor/mod.ts";
import { formatBytes, formatCount, formatDuration, formatSpan, parseObject } from "../../../../lib/std/mod.ts";
import type { ClientSession } from "../../client/open.ts";
import { addBrokerFlags, type BrokerFlags, withSystem, writeJson } from "../session.ts";
import { localTime } from "../stream/info.ts";

/** `choria broker server info`. */
export function infoCommand(): Command {
  const info = new Command("info").alias("i").description("Show what a broker is, and how it is set up.");
  return addBrokerFlags(info.argument("[server]", "name or id of the broker; may be left out where there is one"))
    .option("-j, --json", "write what the broker answers as one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker server info broker.example.net")
    .action((server: string | undefined, flags: BrokerFlags & { json?: true }, command: Command) =>
      withSystem(command, flags, async (session) => {
        const { fleet, signal, terminal } = session;
        const id = await brokerId(server, session);
        const [answer] = await askBrokers(fleet.connection, "VARZ", { id, signal });
        if (answer === undefined) throw new Error(`The broker ${server ?? id} does not answer`);
        if (flags.json) writeJson(session, answer.document);
        else terminal.out.write(infoText(answer));
      }),
    );
}

/**
 * The id of a broker that is meant by its name or id, or by there being no other.
 * @throws {Error} naming those there are.
 */
export async function brokerId(wanted: string | undefined, { fleet, signal }: ClientSession): Promise<string> {
  const all = await askBrokers(fleet.connection, undefined, { signal });
  const found = all.filter(
    ({ server }) => wanted === undefined || server.text("name") === wanted || server.text("id") === wanted,
  );
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return only.server.text("id");
  const names = all.map(({ server }) => server.text("name")).sort();
  const problem = wanted === undefined ? "Which broker is meant?" : `There is no broker "${wanted}".`;
  throw new Error(`${problem} There are ${names.join(", ")}`);
}

function infoText({ server, data }: BrokerAnswer): string {
  return formatReport(`Server information for ${server.text("name")} (${server.text("id")})`, [
    { heading: "Process Details", rows: processRows(data) },
    { heading: "Connection Details", rows: connectionRows(data) },
    { heading: "JetStream", rows: jetstreamRows(data.below("jetstream")) },
    { heading: "Cluster", rows: clusterRows(data.below("cluster")) },
    { heading: "Limits", rows: limitRows(data) },
    { heading: "Statistics", rows: statisticRows(data) },
  ]);
}

function processRows(data: Fields): ReportRow[] {
  return [
    ["Version", data.text("version")],
    ...text(data, "Git Commit", "git_commit"),
    ...text(data, "Go Version", "go"),
    ["Start Time", localTime(data.text("start"))],
    ["Configuration Load Time", localTime(data.text("config_load_time"))],
    ...text(data, "Configuration Digest", "config_digest"),
    ["Uptime", data.text("uptime")],
  ];
}

function connectionRows(data: Fields): ReportRow[] {
  return [
    ["Auth Required", String(data.flag("auth_required"))],
    ["TLS Required", String(data.flag("tls_required"))],
    ["Host", `${data.text("host")}:${data.number("port")}`],
  ];
}

function jetstreamRows(data: Fields): ReportRow[] {
  const [config, stats] = [data.below("config"), data.below("stats")];
  if (!data.has("config")) return [];
  const api = stats.below("api");
  return [
    ["Domain", config.text("domain")],
    ["API Support Level", String(api.number("level"))],
    ["Storage Directory", config.text("store_dir")],
    ["Active Accounts", formatCount(stats.number("accounts"))],
    ["Memory In Use", formatBytes(stats.number("memory"))],
    ["File In Use", formatBytes(stats.number("storage"))],
    ["API Requests", formatCount(api.number("total"))],
    ["API Errors", formatCount(api.number("errors"))],
    ["Always sync writes to disk", String(config.flag("sync_always"))],
    ["Write sync Frequency", nanos(config.number("sync_interval"))],
    ["Maximum Memory Storage", formatBytes(config.number("max_memory"))],
    ["Maximum File Storage", formatBytes(config.number("max_storage"))],
    ["Strict API Parsing", String(config.flag("strict"))],
  ];
}

function clusterRows(data: Fields): ReportRow[] {
  if (data.text("name") === "") return [];
  const urls = data.document.urls;
  return [
    ["Name", data.text("name")],
    ...(data.number("cluster_port") > 0
      ? [["Host", `${data.text("addr")}:${data.number("cluster_port")}`] as const]
      : []),
    ...(Array.isArray(urls) && urls.length > 0 ? [["URLs", urls.join(", ")] as const] : []),
  ];
}

function limitRows(data: Fields): ReportRow[] {
  return [
    ["Maximum Connections", formatCount(data.number("max_connections"))],
    ["Maximum Subscriptions", formatCount(data.number("max_subscriptions"))],
    ["Maximum Payload", formatBytes(data.number("max_payload"))],
    ["TLS Timeout", formatSpan(data.number("tls_timeout") * 1_000)],
    ["Write Deadline", formatSpan(data.number("write_deadline") / 1e6)],
  ];
}

function statisticRows(data: Fields): ReportRow[] {
  const bothWays = (show: (value: number) => string, key: string) =>
    `${show(data.number(`in_${key}`))} in ${show(data.number(`out_${key}`))} out`;
  return [
    ["CPU Cores", `${data.number("cores")} ${data.number("cpu").toFixed(2)}%`],
    ["GOMAXPROCS", String(data.number("gomaxprocs"))],
    ["Memory", formatBytes(data.number("mem"))],
    ["Connections", formatCount(data.number("connections"))],
    ["Subscriptions", formatCount(data.number("subscriptions"))],
    ["Messages", bothWays(formatCount, "msgs")],
    ["Bytes", bothWays(formatBytes, "bytes")],
    ["Slow Consumers", formatCount(data.number("slow_consumers"))],
  ];
}

function text(data: Fields, label: string, key: string): ReportRow[] {
  return data.text(key) === "" ? [] : [[label, data.text(key)]];
}

function nanos(value: number): string {
  return formatDuration(value / 1e6);
}

const topics: Readonly<Record<string, Topic>> = {
  variables: "VARZ",
  connections: "CONNZ",
  routes: "ROUTEZ",
  gateways: "GATEWAYZ",
  leafnodes: "LEAFZ",
  jetstream: "JSZ",
  health: "HEALTHZ",
  statistics: "STATSZ",
};

/** `choria broker server request`. */
export function requestCommand(): Command {
  const request = new Command("request")
    .alias("req")
    .description(`Ask a broker, or all of them, and write what they answer: ${Object.keys(topics).join(", ")}.`)
    .argument("<what>", "what to ask for")
    .argument("[server]", "name or id of the broker; all of them by default");
  return addBrokerFlags(request)
    .addOption(new Option("--body <json>", "details of the question").default("{}"))
    .addHelpText("after", `\nExample:\n  choria broker server request jetstream --body '{"streams": true}'`)
    .action((what: string, server: string | undefined, flags: BrokerFlags & { body: string }, command: Command) => {
      const topic = Object.hasOwn(topics, what) ? topics[what] : undefined;
      if (topic === undefined)
        throw new Error(`enum value must be one of ${Object.keys(topics).join(",")}, got '${what}'`);
      const body = parseObject(flags.body);
      return withSystem(command, flags, async (session) => {
        const one = server === undefined ? {} : { id: await brokerId(server, session) };
        const answers = await askBrokers(session.fleet.connection, topic, { body, signal: session.signal, ...one });
        for (const { document } of answers) writeJson(session, document);
      });
    });
}
