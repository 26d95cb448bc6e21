import type { ConsumerInfo, SequenceInfo } from "@nats-io/jetstream";
import { formatReport, type ReportRow } from "../../../../lib/cli/mod.ts";
import { formatBytes, formatCount, formatRemaining, formatSpan } from "../../../../lib/std/mod.ts";
import { isNote } from "../definition.ts";
import { capital, localTime, row } from "../stream/info.ts";

/** What a consumer is and how far it is, for people. */
export function infoText(info: ConsumerInfo): string {
  const { stream_name: stream, name, created, cluster } = info;
  return formatReport(`Information for Consumer ${stream} > ${name} created ${localTime(created)}`, [
    { heading: "Configuration", rows: configRows(info) },
    {
      heading: "Cluster Information",
      rows:
        (cluster?.replicas ?? []).length === 0
          ? []
          : [...row("Name", cluster?.name), ...row("Leader", cluster?.leader)],
    },
    { heading: "State", rows: stateRows(info) },
  ]);
}

/** The document of a consumer without what only its transport needs. */
export function infoDocument(info: ConsumerInfo): object {
  const { type: _type, ...document } = info as ConsumerInfo & { type?: string };
  return document;
}

function configRows({ name, config }: ConsumerInfo): ReportRow[] {
  const isPull = !config.deliver_subject;
  const { filter_subject: one, filter_subjects: several = [] } = config;
  const filters = one ? [one] : several;
  return [
    ["Name", name],
    ...row("Description", config.description),
    ...(isPull
      ? ([["Pull Mode", "true"]] as const)
      : ([["Delivery Subject", config.deliver_subject ?? ""], ...row("Deliver Group", config.deliver_group)] as const)),
    ...row(filters.length > 1 ? "Filter Subjects" : "Filter Subject", filters.join(", ")),
    ["Deliver Policy", deliverText(config)],
    ["Ack Policy", capital(config.ack_policy)],
    ...(config.ack_policy === "none" ? [] : [["Ack Wait", formatRemaining((config.ack_wait ?? 0) / 1e6)] as const]),
    ["Replay Policy", capital(config.replay_policy)],
    ...(config.max_deliver !== undefined && config.max_deliver > 0
      ? [["Maximum Deliveries", formatCount(config.max_deliver)] as const]
      : []),
    ...count("Max Ack Pending", config.max_ack_pending),
    ...(isPull ? count("Max Waiting Pulls", config.max_waiting) : []),
    ...count("Max Pull Batch", config.max_batch),
    ...(config.max_expires ? [["Max Pull Expire", formatRemaining(config.max_expires / 1e6)] as const] : []),
    ...(config.max_bytes ? [["Max Pull MaxBytes", formatBytes(config.max_bytes)] as const] : []),
    ...(config.inactive_threshold
      ? [["Inactive Threshold", formatRemaining(config.inactive_threshold / 1e6)] as const]
      : []),
    ...(config.headers_only ? [["Headers Only", "true"] as const] : []),
    ...(config.flow_control ? [["Flow Control", "true"] as const] : []),
    ...Object.entries(config.metadata ?? {}).filter(([key]) => !isNote(key)),
  ];
}

function stateRows(info: ConsumerInfo): ReportRow[] {
  const { config } = info;
  const metadata = config.metadata ?? {};
  const level = metadata["_nats.level"];
  const most = config.max_ack_pending ?? 0;
  const pending = formatCount(info.num_ack_pending);
  return [
    ...(info.paused ? [["Paused Until Deadline", pauseText(info)] as const] : []),
    ...row("Host Version", metadata["_nats.ver"]),
    ...(level === undefined
      ? []
      : [["Required API Level", `${metadata["_nats.req.level"] ?? "0"} hosted at level ${level}`] as const]),
    ["Last Delivered Message", sequenceText(info.delivered, "Last delivery", info.ts)],
    ...(config.ack_policy === "none"
      ? []
      : ([
          ["Acknowledgment Floor", sequenceText(info.ack_floor, "Last Ack", info.ts)],
          ["Outstanding Acks", most > 0 ? `${pending} out of maximum ${formatCount(most)}` : pending],
          ["Redelivered Messages", formatCount(info.num_redelivered)],
        ] as const)),
    ["Unprocessed Messages", formatCount(info.num_pending)],
    ...(config.deliver_subject
      ? [["Active Interest", info.push_bound ? "Active" : "No interest"] as const]
      : [["Waiting Pulls", waitingText(info)] as const]),
  ];
}

function waitingText({ num_waiting: waiting, config }: ConsumerInfo): string {
  return config.max_waiting
    ? `${formatCount(waiting)} of maximum ${formatCount(config.max_waiting)}`
    : formatCount(waiting);
}

function pauseText({ config, pause_remaining: left }: ConsumerInfo): string {
  return `${localTime(config.pause_until ?? "")} (${formatRemaining(left / 1e6)} remaining)`;
}

/** The library's type says that the time is a number; brokers write it as text. */
function sequenceText({ consumer_seq, stream_seq, last_active }: SequenceInfo, label: string, now?: string): string {
  const at = Date.parse(String(last_active ?? ""));
  const ago = Number.isNaN(at) ? "" : ` ${label}: ${formatSpan(Date.parse(now ?? "") - at)} ago`;
  return `Consumer sequence: ${formatCount(consumer_seq)} Stream sequence: ${formatCount(stream_seq)}${ago}`;
}

function deliverText(config: ConsumerInfo["config"]): string {
  switch (config.deliver_policy) {
    case "by_start_sequence":
      return `From Sequence ${config.opt_start_seq ?? 0}`;
    case "by_start_time":
      return `Since ${localTime(config.opt_start_time ?? "")}`;
    case "last_per_subject":
      return "Last Per Subject";
    default:
      return capital(config.deliver_policy);
  }
}

function count(label: string, value: number | undefined): ReportRow[] {
  return value !== undefined && value > 0 ? [[label, formatCount(value)]] : [];
}
