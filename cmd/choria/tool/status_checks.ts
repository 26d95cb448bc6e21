import {
  formatDuration,
  formatGoTime,
  isObject,
  type JsonObject,
  parseObject,
  zeroTime,
} from "../../../lib/std/mod.ts";

/** What a server's status has to be like. Times are milliseconds; 0 switches the check off. */
export interface StatusLimits {
  /** Oldest status file. */
  maxAge: number;
  /** Shortest rest of the certificate's time. */
  certificateAge: number;
  /** Shortest rest of the token's time. */
  tokenAge: number;
  /** Whether the server has to be connected. */
  checkConnection: boolean;
  /** Longest time without a message. */
  messageSince: number;
  /** The server has to be one that is being provisioned. */
  mustBeProvisioning: boolean;
  /** The server has to be one that is not being provisioned. */
  mustServe: boolean;
}

/** The state of a server, as its status file says. */
interface Status {
  /** Seconds. */
  uptime: number;
  connectedServer: string;
  /** Unix seconds; 0 for never. */
  lastMessage: number;
  isProvisioning: boolean;
  /** Milliseconds since the epoch; undefined for none. */
  certificateExpires: number | undefined;
  tokenExpires: number | undefined;
}

/**
 * What is wrong with a server, in the words that monitoring systems know; undefined when nothing is. The first thing
 * found counts.
 *
 * @param text The status file.
 * @param age Milliseconds since it was written.
 * @param now Milliseconds since the epoch.
 */
export function checkStatus(text: string, age: number, limits: StatusLimits, now: number): string | undefined {
  let status: Status;
  try {
    status = decodeStatus(parseObject(text));
  } catch (error) {
    return `could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (limits.maxAge > 0 && age > limits.maxAge) return `older than ${formatDuration(limits.maxAge)}`;
  return (
    checkExpiry("certificate", status.certificateExpires, limits.certificateAge, now) ??
    checkExpiry("token", status.tokenExpires, limits.tokenAge, now) ??
    checkConnection(status, limits) ??
    checkMessages(status, limits.messageSince, now) ??
    checkMode(status, limits)
  );
}

function checkExpiry(what: string, expires: number | undefined, limit: number, now: number): string | undefined {
  if (limit === 0 || expires === undefined || expires - now >= limit) return undefined;
  const left = Math.trunc((expires - now) / 1_000) * 1_000;
  return `${what} expires ${formatGoTime(expires)} (${formatDuration(left)})`;
}

function checkConnection({ connectedServer }: Status, limits: StatusLimits): string | undefined {
  return limits.checkConnection && connectedServer === "" ? "connection check failed: not connected" : undefined;
}

function checkMessages({ lastMessage, uptime }: Status, limit: number, now: number): string | undefined {
  if (limit === 0 || now - lastMessage * 1_000 <= limit) return undefined;
  // A server that was just started has had no time to be asked anything.
  if (lastMessage === 0 && uptime * 1_000 < limit) return undefined;
  return `no recent messages: last message at ${formatGoTime(lastMessage * 1_000)}`;
}

function checkMode({ isProvisioning }: Status, limits: StatusLimits): string | undefined {
  if (limits.mustBeProvisioning && !isProvisioning) return "not in provisioning mode";
  return limits.mustServe && isProvisioning ? "in provisioning mode" : undefined;
}

function decodeStatus(from: JsonObject): Status {
  if (typeof from.identity !== "string" || !isObject(from.stats)) throw new Error("it is not the status of a server");
  return {
    uptime: numberOf(from.uptime),
    connectedServer: typeof from.connected_server === "string" ? from.connected_server : "",
    lastMessage: numberOf(from.last_message),
    isProvisioning: from.provisioning_mode === true,
    certificateExpires: timeOf(from.certificate_expires),
    tokenExpires: timeOf(from.token_expires),
  };
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function timeOf(value: unknown): number | undefined {
  if (typeof value !== "string" || value === zeroTime) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}
