import type { StreamInfo } from "@nats-io/jetstream";
import { formatReport, type ReportRow, type ReportSection } from "../../../../lib/cli/mod.ts";
import { formatBytes, formatCount, formatDuration, formatRemaining, formatSpan } from "../../../../lib/std/mod.ts";
import { isNote } from "../definition.ts";

/** What a stream is and holds, for people. */
export function infoText(info: StreamInfo): string {
  const title = `Information for Stream ${info.config.name} created ${localTime(info.created)}`;
  return formatReport(title, [
    { rows: aboutRows(info) },
    { heading: "Options", rows: optionRows(info) },
    { heading: "Limits", rows: limitRows(info) },
    { heading: "Metadata", rows: metadataRows(info) },
    ...placeSections(info),
    { heading: "State", rows: stateRows(info) },
  ]);
}

/** What a stream holds, for people. */
export function stateText(info: StreamInfo): string {
  const title = `State for Stream ${info.config.name} created ${localTime(info.created)}`;
  return formatReport(title, [...placeSections(info), { heading: "State", rows: stateRows(info) }]);
}

/** The document of a stream without what only its transport needs. */
export function infoDocument(info: StreamInfo): object {
  const { config, created, state, cluster, mirror, sources, alternates, ts } = info;
  return { config, created, state, cluster, mirror, sources, alternates, ts };
}

/** A time of a broker as a local one, without fractions: `2026-11-22 12:42:05`. */
export function localTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return "unknown";
  const pad = (value: number) => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  return `${date} ${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/** How long ago something was; `never` where it has no time, which brokers write as the year 1. */
export function ago(text: string | undefined, now: number): string {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) || at < 0 ? "never" : formatSpan(now - at);
}

function aboutRows({ config }: StreamInfo): ReportRow[] {
  const { description, subjects = [], placement } = config;
  return [
    ...row("Description", description),
    ...row("Subjects", subjects.join(", ")),
    ["Replicas", String(config.num_replicas)],
    ...(config.sealed ? [["Sealed", "true"] as const] : []),
    ["Storage", capital(config.storage)],
    ...(config.compression === undefined || config.compression === "none"
      ? []
      : [["Compression", compression(config.compression)] as const]),
    ...row("Placement Cluster", placement?.cluster),
    ...row("Placement Tags", placement?.tags?.join(", ")),
  ];
}

function optionRows({ config }: StreamInfo): ReportRow[] {
  const { subject_transform: transform, republish } = config;
  return [
    ...(transform === undefined
      ? []
      : [["Subject Transform", `${transform.src || ">"} to ${transform.dest}`] as const]),
    ...(republish === undefined
      ? []
      : [["Republishing", `${republish.src || ">"} to ${republish.dest}${headersOnly(republish)}`] as const]),
    ["Retention", retention(config.retention)],
    ["Acknowledgments", String(!config.no_ack)],
    ["Discard Policy", `${capital(config.discard)}${config.discard_new_per_subject ? " Per Subject" : ""}`],
    ["Duplicate Window", nanos(config.duplicate_window)],
    ...flag("Direct Get", config.allow_direct),
    ...flag("Mirror Direct Get", config.mirror_direct),
    ["Allows Atomic Batch Publish", String(config.allow_atomic ?? false)],
    ["Allows Fast Batch Publish", String(config.allow_batched ?? false)],
    ["Allows Counters", String(config.allow_msg_counter ?? false)],
    ["Allows Msg Delete", String(!config.deny_delete)],
    ["Allows Per-Message TTL", String(config.allow_msg_ttl ?? false)],
    ...(config.subject_delete_marker_ttl
      ? [["Subject Delete Markers TTL", nanos(config.subject_delete_marker_ttl)] as const]
      : []),
    ["Allows Purge", String(!config.deny_purge)],
    ["Allows Schedules", String(config.allow_msg_schedules ?? false)],
    ["Allows Rollups", String(config.allow_rollup_hdrs ?? false)],
  ];
}

function limitRows({ config }: StreamInfo): ReportRow[] {
  const limit = (value: number, show: (value: number) => string = formatCount): string =>
    value > 0 ? show(value) : "unlimited";
  return [
    ["Maximum Messages", limit(config.max_msgs)],
    ["Maximum Per Subject", limit(config.max_msgs_per_subject)],
    ["Maximum Bytes", limit(config.max_bytes, formatBytes)],
    ["Maximum Age", limit(config.max_age, (age) => formatRemaining(age / 1e6))],
    ["Maximum Message Size", limit(config.max_msg_size, formatBytes)],
    ["Maximum Consumers", limit(config.max_consumers)],
  ];
}

/** What the broker notes for itself is shown by other lines. */
function metadataRows({ config }: StreamInfo): ReportRow[] {
  return Object.entries(config.metadata ?? {}).filter(([key]) => !isNote(key));
}

function placeSections({ cluster, mirror, sources = [] }: StreamInfo): ReportSection[] {
  const members = (cluster?.replicas ?? []).map((peer): ReportRow => {
    const state = peer.offline ? "OFFLINE" : peer.current ? "current" : "outdated";
    return ["Replica", `${peer.name}, ${state}, seen ${formatSpan(peer.active / 1e6)} ago`];
  });
  const origin = (one: NonNullable<typeof mirror>): ReportRow[] => [
    ["Stream Name", one.name],
    ["Lag", formatCount(one.lag)],
    ["Last Seen", one.active < 0 ? "never" : formatSpan(one.active / 1e6)],
  ];
  return [
    {
      heading: "Cluster Information",
      rows: [...row("Name", cluster?.name), ...row("Leader", cluster?.leader), ...members],
    },
    { heading: "Mirror Information", rows: mirror === undefined ? [] : origin(mirror) },
    { heading: "Source Information", rows: sources.flatMap(origin) },
  ];
}

function stateRows({ config, state, alternates = [] }: StreamInfo): ReportRow[] {
  const metadata = config.metadata ?? {};
  const level = metadata["_nats.level"];
  const at = (sequence: number, time: string) =>
    sequence > 0 && Date.parse(time) > 0 ? `${formatCount(sequence)} @ ${localTime(time)}` : formatCount(sequence);
  return [
    ...row("Host Version", metadata["_nats.ver"]),
    ...(level === undefined
      ? []
      : [["Required API Level", `${metadata["_nats.req.level"] ?? "0"} hosted at level ${level}`] as const]),
    ["Messages", formatCount(state.messages)],
    ["Bytes", formatBytes(state.bytes)],
    ["First Sequence", at(state.first_seq, state.first_ts)],
    ["Last Sequence", at(state.last_seq, state.last_ts)],
    ...(state.num_deleted ? [["Deleted Messages", formatCount(state.num_deleted)] as const] : []),
    ["Active Consumers", formatCount(state.consumer_count)],
    ...(state.num_subjects ? [["Number of Subjects", formatCount(state.num_subjects)] as const] : []),
    ...(alternates.length > 1 ? [["Alternates", alternates.map(({ name }) => name).join(", ")] as const] : []),
  ];
}

/** A row; none where there is no value. */
export function row(label: string, value: string | undefined): ReportRow[] {
  return value ? [[label, value]] : [];
}

function flag(label: string, value: boolean | undefined): ReportRow[] {
  return value ? [[label, "true"]] : [];
}

function nanos(value: number): string {
  return value > 0 ? formatDuration(value / 1e6) : "0s";
}

/** A word with a capital letter at its beginning. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function compression(kind: string): string {
  return kind === "s2" ? "S2 Compression" : kind;
}

function headersOnly({ headers_only }: { headers_only?: boolean }): string {
  return headers_only ? " (headers only)" : "";
}

function retention(policy: string): string {
  return policy === "workqueue" ? "WorkQueue" : capital(policy);
}
