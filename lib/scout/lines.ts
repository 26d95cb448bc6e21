import type { CheckResult, MachineTransition, PerformanceFigure } from "./event.ts";

/** What columns of lines are set to. */
export interface LineWidths {
  identity: number;
  machine: number;
}

const labels = new Map([
  ["OK", "OK  "],
  ["WARNING", "WARN"],
  ["CRITICAL", "CRIT"],
  ["UNKNOWN", "UNKN"],
  ["", "INVA"],
]);

/** A state in four letters, where it has such a name. */
export function statusLabel(status: string): string {
  return labels.get(status) ?? status;
}

/** The time of day at this host: `15:04:05`. */
export function timeOfDay(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

/** What a plugin printed, on one line and without its figures. */
export function outputSummary(output: string): string {
  const [summary = ""] = output.split("|");
  return summary.replace(/[\s\p{Cc}]+/gu, " ").trim();
}

/** The result of a check on one line: `15:04:05 OK   web1.example.net check_disk: all is well`. */
export function checkLine(check: CheckResult, widths: LineWidths): string {
  const { time, status, identity, machine, output } = check;
  const names = `${identity.padStart(widths.identity)} ${machine.padStart(widths.machine)}`;
  return `${timeOfDay(time)} ${statusLabel(status)} ${names}: ${outputSummary(output)}`;
}

/** A figure of a plugin: `used = 81 %`. */
export function figureText({ label, value, unit }: PerformanceFigure): string {
  return `${label} = ${value}${unit === "" ? "" : ` ${unit}`}`;
}

/** A transition on one line: `15:04:05 web1.example.net     OK => WARNING check_disk`. */
export function transitionLine({ time, identity, from, to, machine }: MachineTransition): string {
  return `${timeOfDay(time)} ${identity.padEnd(20)} ${from} => ${to} ${machine}`;
}
