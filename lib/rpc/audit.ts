import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, errorText, type Logger } from "../std/mod.ts";
import type { ActionCall, CallAuditor } from "./authorizer.ts";

/** Where {@link fileAuditor} writes. */
export interface FileAuditorOptions {
  file: string;
  /**
   * Mode of the file, in octal, set when it is made.
   * @default "0600"
   */
  mode?: string;
  /** Name or number of the group that owns the file; left alone when empty. */
  group?: string;
  clock: Clock;
  logger: Logger;
}

/**
 * An auditor that appends one JSON line for each call to a file. A line that cannot be written is logged and keeps
 * nothing from happening.
 *
 * @throws {TypeError} when the mode is not octal or the group does not exist.
 */
export function fileAuditor(options: FileAuditorOptions): CallAuditor {
  const { file, clock, logger } = options;
  const mode = parseMode(options.mode ?? "0600");
  const group = options.group ? groupId(options.group) : undefined;
  return {
    record(call) {
      try {
        prepare(file, mode, group);
        appendFileSync(file, `${auditLine(call, clock.now())}\n`);
      } catch (error) {
        const { id } = call.message.request;
        logger.error("A call could not be audited", { file, requestid: id, reason: errorText(error) });
      }
    },
  };
}

/**
 * What the audit log says about a call.
 *
 * @param now Milliseconds since the epoch.
 */
export function auditLine(call: ActionCall, now: number): string {
  const { request } = call.message;
  return JSON.stringify({
    timestamp: formatMicroseconds(now),
    request_id: request.id,
    request_time: Number(request.time / 1_000_000_000n),
    caller: request.caller,
    sender: request.sender,
    agent: call.agent,
    action: call.action,
    data: call.data,
  });
}

/** `2026-11-22T04:27:38.688517+0000`: the form that readers of the original's log know. */
function formatMicroseconds(now: number): string {
  const micros = Math.floor((now % 1_000) * 1_000)
    .toString()
    .padStart(6, "0");
  return `${new Date(now).toISOString().slice(0, 19)}.${micros}+0000`;
}

/** The file may be rotated away at any time, so mode and group are seen to at each line. */
function prepare(file: string, mode: number, group: number | undefined): void {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, "", { mode });
    chmodSync(file, mode);
  }
  if (group === undefined) return;
  const { uid, gid } = statSync(file);
  if (gid !== group) chownSync(file, uid, group);
}

function parseMode(text: string): number {
  if (/^(0o?)?[0-7]{1,4}$/.test(text)) return Number.parseInt(text.replace(/^0o/, ""), 8);
  throw new TypeError(`Cannot use the mode "${text}" for the audit log: expected octal digits such as 0640`);
}

function groupId(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const line = readGroups()
    .split("\n")
    .find((each) => each.startsWith(`${name}:`));
  const id = Number(line?.split(":")[2] ?? "x");
  if (Number.isInteger(id)) return id;
  throw new TypeError(`Cannot find the group "${name}" for the audit log`);
}

function readGroups(): string {
  try {
    return readFileSync("/etc/group", "utf8");
  } catch {
    return "";
  }
}
