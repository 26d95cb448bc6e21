import { appendFileSync } from "node:fs";
import { formatRfc3339 } from "../std/mod.ts";
import type { Auditor, AuditRecord } from "./audit.ts";

const name = "logfile";

/** What {@link logfileAuditor} writes, and where. */
export interface LogfileAuditorOptions {
  /** File that records are appended to, made with mode 0600; empty gives lines of text to `print`. */
  file: string;
  site: string;
  /** Takes a line, newline included, where there is no file. */
  print: (line: string) => void;
}

/**
 * An auditor that writes one JSON object a line, or lines of text where no file is configured. The file is opened
 * for each record, so that it may be rotated away at any time.
 *
 * @throws {Error} when the file cannot be written, right away rather than at the first request.
 */
export function logfileAuditor(options: LogfileAuditorOptions): Auditor {
  const { file, site, print } = options;
  const write = (text: string) => appendFileSync(file, text, { mode: 0o600 });
  if (file !== "") write("");
  return {
    name,
    record(record) {
      if (file === "") print(textLine(record, site));
      else write(jsonLine(record, site));
    },
    async [Symbol.asyncDispose]() {},
  };
}

function jsonLine({ action, caller, request, time }: AuditRecord, site: string): string {
  const line = { action, auditor: name, caller, level: "info", msg: request, site, time: formatRfc3339(time) };
  return `${JSON.stringify(line)}\n`;
}

function textLine({ action, caller, request, time }: AuditRecord, site: string): string {
  const head = `time="${formatRfc3339(time)}" level=info msg=${JSON.stringify(request)}`;
  return `${head} action=${action} auditor=${name} caller=${JSON.stringify(caller)} site=${JSON.stringify(site)}\n`;
}
