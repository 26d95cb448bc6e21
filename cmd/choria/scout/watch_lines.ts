import type { Line, Span } from "../../../lib/cli/mod.ts";
import {
  type BoardCounts,
  type CheckResult,
  figureText,
  type LineWidths,
  type MachineTransition,
  outputSummary,
  type Problem,
  statusLabel,
  timeOfDay,
} from "../../../lib/scout/mod.ts";
import { formatDuration } from "../../../lib/std/mod.ts";
import { stateStyle } from "./colors.ts";

/** What has a node's and a machine's name. */
interface Named {
  identity: string;
  machine: string;
}

/** Names are set in columns as wide as the longest of them, within what a terminal of so many columns has room for. */
export function columnWidths(items: readonly Named[], columns: number): LineWidths {
  const widest = (key: keyof Named) => items.reduce((most, item) => Math.max(most, item[key].length), 0);
  return {
    identity: Math.min(widest("identity"), Math.max(12, Math.floor(columns * 0.35))),
    machine: Math.min(widest("machine"), Math.max(12, Math.floor(columns * 0.25))),
  };
}

function cell(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padStart(width);
}

function stateSpan(state: string, text = statusLabel(state)): Span {
  const style = stateStyle(state);
  return style === undefined ? { text } : { text, style };
}

/** The result of a check. */
export function checkSpans(check: CheckResult, widths: LineWidths): Span[] {
  return [
    { text: `${timeOfDay(check.time)} `, style: "dim" },
    stateSpan(check.status),
    { text: ` ${cell(check.identity, widths.identity)} ` },
    { text: cell(check.machine, widths.machine), style: "bold" },
    { text: `: ${outputSummary(check.output)}` },
  ];
}

/** The figures of a check, each on a line of its own. */
export function figureLines({ perfdata }: CheckResult): Line[] {
  return perfdata.map((figure) => [{ text: `${" ".repeat(14)}${figureText(figure)}`, style: "dim" }]);
}

/** A transition. */
export function transitionSpans({ time, identity, from, to, machine }: MachineTransition): Span[] {
  return [
    { text: `${timeOfDay(time)} `, style: "dim" },
    { text: `${identity.padEnd(20)} ` },
    stateSpan(from, from),
    { text: " => " },
    stateSpan(to, to),
    { text: " " },
    { text: machine, style: "bold" },
  ];
}

/** Columns that the counts take with their full names. */
const wideCounts = 78;

/** How many nodes there are, and how many checks are how. */
export function countSpans(counts: BoardCounts, columns: number, now: number): Span[] {
  const isWide = columns >= wideCounts;
  const counted = (state: string, name: string, count: number): Span[] => [
    { text: ` ${isWide ? state : name}: ` },
    count === 0 ? { text: "0" } : stateSpan(state, String(count)),
  ];
  return [
    { text: ` ${timeOfDay(now)}: ${isWide ? "IDENTITIES" : "NODES"}: ${counts.identities}` },
    ...counted("OK", "OK", counts.ok),
    ...counted("WARNING", "WARN", counts.warning),
    ...counted("CRITICAL", "CRIT", counts.critical),
    ...counted("UNKNOWN", "UNKN", counts.unknown),
    ...(counts.maintenance === 0 ? [] : [{ text: " MAINT: " }, stateSpan("MAINTENANCE", String(counts.maintenance))]),
  ];
}

/** A check that is not OK, and for how long. */
export function problemSpans(problem: Problem, widths: LineWidths, now: number): Span[] {
  const since = formatDuration(Math.max(0, Math.floor((now - problem.since) / 1_000)) * 1_000);
  return [
    { text: " " },
    stateSpan(problem.status, statusLabel(problem.status).slice(0, 5).padEnd(5)),
    { text: ` ${cell(problem.identity, widths.identity)} ` },
    { text: cell(problem.machine, widths.machine), style: "bold" },
    { text: ` for ${since}`, style: "dim" },
    { text: problem.output === "" ? "" : `: ${problem.output}` },
  ];
}
