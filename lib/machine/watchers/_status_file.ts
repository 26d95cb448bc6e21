import { readFileSync, statSync } from "node:fs";
import { errorText, formatDuration, formatGoTime, isObject, type JsonObject, parseObject } from "../../std/mod.ts";

/** What {@link checkStatusFile} looks at. Durations in milliseconds, 0 for those that do not matter. */
export interface StatusCheck {
  path: string;
  /** How often the server writes its file. */
  interval: number;
  /** How long ago the last message may be. */
  lastMessage: number;
  /** How long the certificate has to be good for. */
  certificateExpires: number;
  /** How long the token has to be good for. */
  tokenExpires: number;
}

/** What a check found: the code that a plugin would have ended with, and what it would have printed. */
export interface CheckResult {
  code: number;
  output: string;
}

/** What Go has for a time that is infinitely far away, in seconds. */
const never = "9223372036854775807";

/** Whether the server on this node is well, from the file in which it tells of itself. Never throws. */
export function checkStatusFile(check: StatusCheck, now: number): CheckResult {
  if (check.path === "") return { code: 3, output: "Status file not configured" };
  try {
    const status = readStatus(check.path);
    const problem = problemOf(check, status, now);
    const figures = figuresOf(status, now);
    if (problem !== undefined) return { code: 2, output: `CRITICAL: ${problem}|${figures}` };
    return { code: 0, output: `OK: ${check.path}|${figures}` };
  } catch (error) {
    return { code: 2, output: `Status file error: ${errorText(error)}` };
  }
}

interface ServerStatus {
  writtenAt: number;
  uptime: number;
  server: string;
  /** Unix seconds. */
  lastMessage: number;
  /** Milliseconds since the epoch. */
  certificateExpires: number | undefined;
  tokenExpires: number | undefined;
  stats: JsonObject;
}

function readStatus(path: string): ServerStatus {
  const document = parseObject(readFileSync(path));
  return {
    writtenAt: statSync(path).mtimeMs,
    uptime: numberOf(document.uptime),
    server: typeof document.connected_server === "string" ? document.connected_server : "",
    lastMessage: numberOf(document.last_message),
    certificateExpires: timeOf(document.certificate_expires),
    tokenExpires: timeOf(document.token_expires),
    stats: isObject(document.stats) ? document.stats : {},
  };
}

function problemOf(check: StatusCheck, status: ServerStatus, now: number): string | undefined {
  const oldest = 3 * check.interval;
  if (now - status.writtenAt > oldest) return `older than ${formatDuration(oldest)}`;
  if (isDue(status.certificateExpires, check.certificateExpires, now)) {
    return `certificate expires ${momentAndRest(status.certificateExpires, now)}`;
  }
  if (isDue(status.tokenExpires, check.tokenExpires, now)) {
    return `token expires ${momentAndRest(status.tokenExpires, now)}`;
  }
  const isYoung = status.lastMessage === 0 && status.uptime * 1_000 < check.lastMessage;
  if (!isYoung && now - status.lastMessage * 1_000 > check.lastMessage) {
    return `last message at ${formatGoTime(status.lastMessage * 1_000)}`;
  }
  return status.server === "" ? "Not connected to any server" : undefined;
}

function isDue(expires: number | undefined, margin: number, now: number): expires is number {
  return margin > 0 && expires !== undefined && expires - now < margin;
}

function momentAndRest(at: number, now: number): string {
  return `${formatGoTime(at)} (${formatDuration(Math.round((at - now) / 1_000) * 1_000)})`;
}

function figuresOf({ uptime, lastMessage, stats, ...status }: ServerStatus, now: number): string {
  const left = (at: number | undefined) => (at === undefined ? never : Math.trunc((at - now) / 1_000));
  const figures: readonly (readonly [string, unknown])[] = [
    ["uptime", uptime],
    ["filtered_msgs", numberOf(stats.filtered)],
    ["invalid_msgs", numberOf(stats.invalid)],
    ["passed_msgs", numberOf(stats.passed)],
    ["replies_msgs", numberOf(stats.replies)],
    ["total_msgs", numberOf(stats.total)],
    ["ttlexpired_msgs", numberOf(stats.ttlexpired)],
    ["last_msg", lastMessage],
    ["cert_expire_seconds", left(status.certificateExpires)],
    ["token_expire_seconds", left(status.tokenExpires)],
    ["events", numberOf(stats.events)],
  ];
  return figures.map(([label, value]) => `${label}=${value};;`).join(" ");
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? Math.trunc(value) : 0;
}

/** A time of the document; Go's zero time stands for none. */
function timeOf(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) || time < 0 ? undefined : time;
}
