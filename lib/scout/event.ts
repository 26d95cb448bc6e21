import { decodeMachineEvent, MachineEventError, machineSubjects } from "../machine/mod.ts";
import { isObject } from "../std/mod.ts";

/** A check has run. */
export interface CheckResult {
  readonly kind: "check";
  /** When, milliseconds since the epoch, by the node's clock. */
  readonly time: number;
  readonly identity: string;
  readonly machine: string;
  /** `OK`, `WARNING`, `CRITICAL` or `UNKNOWN`; empty in damaged documents. */
  readonly status: string;
  /** What the plugin printed. */
  readonly output: string;
  readonly perfdata: readonly PerformanceFigure[];
}

/** A figure that a plugin measured. */
export interface PerformanceFigure {
  readonly label: string;
  readonly value: number;
  /** As `s`, `%` or `MB`; empty for a plain number. */
  readonly unit: string;
}

/** A machine has changed its state. */
export interface MachineTransition {
  readonly kind: "transition";
  /** When, milliseconds since the epoch, by the node's clock. */
  readonly time: number;
  readonly identity: string;
  readonly machine: string;
  /** The event that was fired. */
  readonly transition: string;
  readonly from: string;
  readonly to: string;
}

/** What machines publish that health checks are followed by. */
export type ScoutEvent = CheckResult | MachineTransition;

/** Subjects that {@link ScoutEvent}s are published to. */
export const scoutSubjects = [machineSubjects.transitions, machineSubjects.watchers("nagios")] as const;

/** Longest document that is looked at, in bytes. */
const mostBytes = 256 * 1_024;
/** Most figures that are taken from one document. */
const mostFigures = 100;
/** Longest names, states and outputs that are kept. */
const longestName = 256;
const longestState = 64;
const longestOutput = 8_192;
const control = /\p{Cc}/u;

/**
 * Read a CloudEvent of a check or of a transition.
 *
 * @throws {MachineEventError} when it is another document, or damaged.
 */
export function decodeScoutEvent(bytes: Uint8Array): ScoutEvent {
  if (bytes.length > mostBytes) throw new MachineEventError(`Larger than ${mostBytes} bytes`);
  const event = decodeMachineEvent(bytes);
  const time = event.timestamp * 1_000;
  const base = { time, identity: name("identity", event.identity), machine: name("machine", event.machine) };
  if (event.kind === "transition") {
    const { transition, from, to } = event;
    return { kind: "transition", ...base, transition: state(transition), from: state(from), to: state(to) };
  }
  if (event.type !== "nagios") throw new MachineEventError("Neither a check nor a transition");
  const { status, output, perfdata } = event.fields;
  return {
    kind: "check",
    ...base,
    status: state(text("status", status)),
    output: text("output", output).slice(0, longestOutput),
    perfdata: figures(perfdata),
  };
}

function name(key: string, value: string): string {
  if (value !== "" && value.length <= longestName && !control.test(value)) return value;
  throw new MachineEventError(`/data/${key}: expected a name of at most ${longestName} characters on one line`);
}

function state(value: string): string {
  return oneLine(value, longestState);
}

/** Lines of events are read by people and by programs: none may look like two. */
function oneLine(value: string, most: number): string {
  return value.slice(0, most).replace(/\p{Cc}/gu, " ");
}

function text(key: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw new MachineEventError(`/data/${key}: expected a text`);
}

function figures(perfdata: unknown): PerformanceFigure[] {
  if (!Array.isArray(perfdata)) return [];
  return perfdata.slice(0, mostFigures).flatMap((entry: unknown) => {
    if (!isObject(entry) || typeof entry.label !== "string" || typeof entry.value !== "number") return [];
    const unit = typeof entry.unit === "string" ? oneLine(entry.unit, 8) : "";
    return [{ label: oneLine(entry.label, longestName), value: entry.value, unit }];
  });
}
