import type { StreamInfo } from "@nats-io/jetstream";
import type { KvEntry } from "@nats-io/kv";
import { formatTable, labelledLines, type ReportRow } from "../../../lib/cli/mod.ts";
import { formatBytes, formatDuration, showUtf8 } from "../../../lib/std/mod.ts";
import type { StreamSession } from "../broker/session.ts";

/** What a bucket is like, for people. */
export function bucketText(bucket: string, { config, state }: StreamInfo, hasValues: boolean): string {
  const limit = (bytes: number) => (bytes > 0 ? formatBytes(bytes) : "unlimited");
  const rows: ReportRow[] = [
    ["Bucket Name", bucket],
    ...(hasValues ? [["Values Stored", String(state.messages)] as const] : []),
    ["History", String(config.max_msgs_per_subject)],
    ["TTL", config.max_age > 0 ? formatDuration(config.max_age / 1e6) : "0s"],
    ["Max Bucket Size", limit(config.max_bytes)],
    ["Max Value Size", limit(config.max_msg_size)],
    ["Storage Replicas", String(config.num_replicas)],
    ["Direct Get", String(config.allow_direct ?? false)],
  ];
  const lines = labelledLines(rows, { width: 17 });
  return `${bucket} Key-Value Store\n\n${lines.join("\n")}\n`;
}

/** A value under its heading; long ones are cut to what fits the terminal. */
export function entryText(entry: KvEntry, columns: number): string {
  const { bucket, key, revision, created, value } = entry;
  const head = `${bucket} > ${key} sequence ${revision} created @ ${shortTime(created)} UTC\n\n`;
  const text = valueText(value);
  if (text.length <= columns) return `${head}${text}\n`;
  return `${head}Showing first ${columns} characters, use --raw for full value\n\n${text.slice(0, columns)}\n`;
}

/** A value and nothing else, to the last byte; on terminals as far as it is text. */
export function writeValue(value: Uint8Array, { terminal }: Pick<StreamSession, "terminal">): void {
  if (terminal.isInteractive) terminal.out.write(showUtf8(value));
  else process.stdout.write(value);
}

/** The values that a key has had. */
export function historyTable(entries: readonly KvEntry[]): string {
  const rows = entries.map(({ revision, operation, created, value }) => [
    String(revision),
    operation,
    `${shortTime(created)} UTC`,
    String(value.length),
    middleCut(valueText(value)),
  ]);
  return formatTable({ head: ["Seq", "Operation", "Time", "Length", "Value"], rows });
}

/** A change of a bucket on a line. */
export function changeText({ bucket, key, operation, value, created }: KvEntry): string {
  const time = created.toISOString().slice(0, 19).replace("T", " ");
  if (operation !== "PUT") return `[${time}] ${operation} ${bucket}.${key}`;
  return `[${time}] ${operation} ${bucket}.${key}: ${valueText(value)}`;
}

const longestCell = 40;
const cellEnd = 15;

function middleCut(text: string): string {
  return text.length > longestCell ? `${text.slice(0, cellEnd)}...${text.slice(-cellEnd)}` : text;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Text as it is, anything else in base64. */
function valueText(bytes: Uint8Array): string {
  try {
    const text = utf8.decode(bytes);
    if (!/\p{Cc}/u.test(text.replace(/[\n\r\t]/g, ""))) return text;
  } catch {
    // No UTF-8.
  }
  return Buffer.from(bytes).toString("base64");
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `22 Nov 26 04:36`, in UTC. */
export function shortTime(time: Date): string {
  const pad = (value: number) => String(value).padStart(2, "0");
  const date = `${pad(time.getUTCDate())} ${months[time.getUTCMonth()]} ${pad(time.getUTCFullYear() % 100)}`;
  return `${date} ${pad(time.getUTCHours())}:${pad(time.getUTCMinutes())}`;
}
