import { formatDuration, isObject, type JsonObject } from "../std/mod.ts";
import type { MachineEvent } from "./events.ts";

/** What watchers of a kind say of themselves, given where they stand and what they published. */
const forms: Readonly<Record<string, (where: string, fields: JsonObject) => string>> = {
  exec: (where, f) => `${where} command: ${f.command}, previous: ${f.previous_outcome} ran: ${ran(f)}`,
  nagios: (where, f) => `${where} ${f.status}: ${f.output}`,
  file: (where, f) => `${where} path: ${f.path}, previous: ${f.previous_outcome}`,
  timer: (where, f) => `timer ${where} state: ${f.state} with ${formatDuration(number(f.timer) / 1e6)} timer`,
  schedule: (where, f) => `schedule ${where} state: ${f.state}`,
  kv: (where, f) => `key-value ${where} polling bucket: ${f.bucket} key: ${f.key ?? ""} state: ${f.state}`,
  archive: (where, f) => `${where} source: ${f.source}, previous: ${f.previous_outcome} ran: ${ran(f)}`,
  plugins: (where, f) => `${where} plugin: ${list(f.plugins)}, previous: ${f.previous_outcome} ran: ${ran(f)}`,
  metric: (where, f) => `${where} metrics: ${metrics(f.metrics)}`,
  gossip: (where, f) => `${where} subject: ${f.previous_subject}, previous: ${f.previous_gossip}`,
  expression: (where, f) => `${where} previous: ${f.previous_outcome}`,
};

/** An event in one line for people: `IDENTITY MACHINE transitioned via event EVENT: FROM => TO`, or what a watcher found. */
export function describeMachineEvent(event: MachineEvent): string {
  if (event.kind === "transition") {
    const { identity, machine, transition, from, to } = event;
    return `${identity} ${machine} transitioned via event ${transition}: ${from} => ${to}`;
  }
  const where = `${event.machine}#${event.name}`;
  const form = Object.hasOwn(forms, event.type) ? forms[event.type] : undefined;
  return `${event.identity} ${form?.(where, event.fields) ?? `${where} ${event.type}: ${plain(event.fields)}`}`;
}

function ran({ previous_run_time: time }: JsonObject): string {
  return `${(number(time) / 1e9).toFixed(3)}s`;
}

function metrics(value: unknown): string {
  const values = isObject(value) && isObject(value.metrics) ? Object.entries(value.metrics) : [];
  return values.map(([name, figure]) => `${name}=${number(figure).toFixed(3)}`).join(", ");
}

function plain(fields: JsonObject): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(" ");
}

function list(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : "";
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
