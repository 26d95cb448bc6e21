import {
  inColumns,
  indentLines,
  labelledLines,
  type Paint,
  type ProgressBar,
  startProgress,
  type Terminal,
  type TextSink,
} from "../../cli/mod.ts";
import { type DdlAction, type DisplayMode, outputLabel, withOutputDefaults } from "../../ddl/mod.ts";
import { formatDuration, isObject, systemClock } from "../../std/mod.ts";
import type { FleetReply } from "../reply.ts";
import type { RequestStats } from "../stats.ts";
import { prettyJson, valueText } from "./values.ts";
import { type DisplayChoice, ordered, type RequestView, type ResultWriter } from "./writer.ts";

/** How results are shown to people. */
export interface TextOptions {
  terminal: Terminal;
  /** Where the results go: the terminal, or a file. */
  out: TextSink;
  isVerbose: boolean;
  display: DisplayChoice | undefined;
  sort: boolean;
  /** Whether a bar shows how far the request is. */
  hasProgress: boolean;
  /** Whether the search for nodes is told. */
  tellsDiscovery: boolean;
  /**
   * Whether the figures of the request are written at its end.
   * @default true
   */
  hasFigures?: boolean;
}

/** Most names shown of those that did not answer, unless all are asked for. */
const mostNames = 200;

const statusTexts: Readonly<Record<number, string>> = {
  1: "Request Aborted",
  2: "Unknown Action",
  3: "Missing Request Data",
  4: "Invalid Request Data",
};

/** Writes results as people read them. */
export function textWriter(options: TextOptions): ResultWriter {
  const { terminal, out, sort } = options;
  const replies: FleetReply[] = [];
  let bar: ProgressBar | undefined;
  let isLineOpen = false;
  const show = (reply: FleetReply, request: RequestView) => {
    const action = request.description;
    if (action !== undefined) out.write(replyText(reply, action, options));
  };
  return {
    discovering(method) {
      if (!options.tellsDiscovery) return;
      terminal.out.write(`Discovering nodes using the ${method} method .... `);
      isLineOpen = true;
    },
    discovered(_method, nodes) {
      if (isLineOpen) terminal.out.write(`${nodes.length}\n`);
      isLineOpen = false;
    },
    sending(total) {
      if (!options.hasProgress) return;
      terminal.out.write("\n");
      bar = startProgress(terminal, total, systemClock.now);
    },
    progress: (done) => bar?.update(done),
    reply(reply, request) {
      if (options.hasProgress || sort) replies.push(reply);
      else show(reply, request);
    },
    finish() {
      bar?.stop();
      if (options.hasProgress) terminal.out.write("\n");
    },
    end(request) {
      for (const reply of ordered(replies, sort)) show(reply, request);
      out.write(summariesText(request, terminal.paint));
      if (options.hasFigures ?? true) out.write(footerText(request.stats, options.isVerbose, terminal.paint));
    },
    failed() {
      if (isLineOpen) terminal.out.write("\n");
      bar?.stop();
      return false;
    },
  };
}

/** Whether a reply is shown: as the user wants, else as the DDL has it. */
function isShown(reply: FleetReply, ddl: DisplayMode, display: DisplayChoice | undefined): boolean {
  const mode = display ?? ddl;
  if (mode === "all" || mode === "always") return true;
  return mode === "none" ? false : mode === "ok" ? reply.ok : !reply.ok;
}

/** One reply; empty where it is not shown. */
export function replyText(
  reply: FleetReply,
  action: DdlAction,
  options: Pick<TextOptions, "display" | "isVerbose"> & { terminal: Pick<Terminal, "paint"> },
): string {
  const { isVerbose, display } = options;
  if (!isVerbose && !isShown(reply, action.display, display)) return "";
  const { red, yellow } = options.terminal.paint;
  const status = reply.ok ? "" : red(statusTexts[reply.statuscode] ?? "Unknown Request Status");
  const head = `${reply.sender.padEnd(40)} ${status}\n\n`;
  const reason = reply.ok ? "" : `${indentLines(yellow(reply.statusmsg), "    ")}\n\n`;
  if (isVerbose) return `${head}${reason}${indentLines(JSON.stringify(reply.data, null, 3), "   ")}\n`;
  return head + (reply.ok ? bodyText(reply.data, action) : reason);
}

function bodyText(data: unknown, action: DdlAction): string {
  if (!isObject(data)) return `${indentLines(prettyJson(data), "   ")}\n\n`;
  const full = withOutputDefaults(action, data);
  const rows = Object.keys(full)
    .sort()
    .map((key) => [outputLabel(action, key), valueText(full[key])] as const);
  return `${labelledLines(rows).join("\n")}${rows.length === 0 ? "" : "\n"}\n`;
}

function summariesText(request: RequestView, paint: Paint): string {
  const { aggregates, description: action } = request;
  if (aggregates === undefined || action === undefined) return "";
  return aggregates
    .entries()
    .map(([output, aggregator]) => {
      const lines = aggregator.text();
      const body = lines.length > 0 ? lines : [paint.yellow("No summary received")];
      return `${paint.heading(`Summary of ${outputLabel(action, output)}:`)}\n\n${indentLines(body.join("\n"), "   ")}\n\n`;
    })
    .join("");
}

/** What a request came to. */
export function footerText(stats: RequestStats, isVerbose: boolean, paint: Paint): string {
  const figures = isVerbose ? longFigures(stats, paint) : shortFigures(stats, paint);
  const silent = namesText("No Responses from", stats.noResponses, isVerbose);
  const strays = namesText("Unexpected Responses from", stats.unexpected, isVerbose);
  return `\n${figures}${silent}${strays}${rejectionsText(stats, paint)}`;
}

function shortFigures(stats: RequestStats, paint: Paint): string {
  const { responses, discovered } = stats;
  const color = responses === 0 ? paint.red : responses < discovered ? paint.yellow : paint.green;
  const time = formatDuration(Math.round(stats.requestTime + stats.discoverTime));
  return `Finished processing ${color(String(responses))} / ${color(String(discovered))} hosts in ${time}\n`;
}

function longFigures(stats: RequestStats, paint: Paint): string {
  const rows: [string, string][] = [
    ["Nodes", `${stats.responses} / ${stats.discovered}`],
    ["Pass / Fail", `${stats.ok} / ${stats.failed}`],
    ["No Responses", String(stats.noResponses.length)],
    ["Unexpected Responses", String(stats.unexpected.length)],
    ...(stats.rejected === 0 ? [] : [["Rejected Responses", String(stats.rejected)] as [string, string]]),
    ["Start Time", new Date(stats.startTime).toISOString().replace(/\.\d+Z$/, "+0000")],
    ["Discovery Time", formatDuration(stats.discoverTime)],
    ["Publish Time", formatDuration(stats.publishTime)],
    ["Agent Time", formatDuration(stats.requestTime - stats.publishTime)],
    ["Total Time", formatDuration(stats.requestTime + stats.discoverTime)],
    ["Request ID", stats.requestId],
  ];
  return `${paint.yellow("---- request stats ----")}\n${labelledLines(rows, { width: 20 }).join("\n")}\n`;
}

function namesText(title: string, names: readonly string[], isVerbose: boolean): string {
  if (names.length === 0) return "";
  const isCut = !isVerbose && names.length > mostNames;
  const head = isCut ? `${title} (showing first ${mostNames})` : title;
  const shown = isCut ? names.slice(0, mostNames) : names;
  return `\n${head}: ${names.length}\n\n${inColumns(shown).join("\n")}\n`;
}

function rejectionsText(stats: RequestStats, paint: Paint): string {
  if (stats.rejected === 0) return "";
  const reasons = [...new Set(stats.rejections.map(({ reason }) => reason))].slice(0, 10);
  return `\n${paint.yellow(`Responses that were not accepted: ${stats.rejected}`)}\n\n${indentLines(reasons.join("\n"), "    ")}\n`;
}
