import { isObject, type JsonObject, parseObject } from "../std/mod.ts";

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

/** A document that is no {@link ScoutEvent}. */
export class ScoutEventError extends Error {
  override readonly name = "ScoutEventError";
}

/** Subjects that {@link ScoutEvent}s are published to. */
export const scoutSubjects = ["choria.machine.transition", "choria.machine.watcher.nagios.state"] as const;

const checkProtocol = "io.choria.machine.watcher.nagios.v1.state";
const transitionProtocol = "io.choria.machine.v1.transition";

/** Longest document that is looked at, in bytes. */
const mostBytes = 256 * 1_024;
/** Most figures that are taken from one document. */
const mostFigures = 100;
/** Longest names and outputs that are kept. */
const longestName = 256;
const longestOutput = 8_192;

/**
 * Read a CloudEvent of a check or of a transition.
 *
 * @throws {ScoutEventError} when it is another document, or damaged.
 */
export function decodeScoutEvent(bytes: Uint8Array): ScoutEvent {
  const data = eventData(bytes);
  const base = {
    time: secondsOf(data) * 1_000,
    identity: name(data, "identity"),
    machine: name(data, "machine"),
  };
  if (data.protocol === transitionProtocol) {
    const transition = name(data, "transition");
    return { kind: "transition", ...base, transition, from: name(data, "from_state"), to: name(data, "to_state") };
  }
  if (data.protocol !== checkProtocol) throw new ScoutEventError("Neither a check nor a transition");
  const output = text(data, "output").slice(0, longestOutput);
  return { kind: "check", ...base, status: text(data, "status").slice(0, 32), output, perfdata: figures(data) };
}

function eventData(bytes: Uint8Array): JsonObject {
  if (bytes.length > mostBytes) throw new ScoutEventError(`Larger than ${mostBytes} bytes`);
  let document: JsonObject;
  try {
    document = parseObject(bytes);
  } catch (error) {
    throw new ScoutEventError("Not a JSON document", { cause: error });
  }
  if (document.specversion !== "1.0" || !isObject(document.data)) throw new ScoutEventError("Not a CloudEvent");
  return document.data;
}

function secondsOf({ timestamp }: JsonObject): number {
  if (typeof timestamp === "number" && Math.abs(timestamp) < 1e11) return timestamp;
  throw new ScoutEventError("/data/timestamp: expected seconds");
}

function name(data: JsonObject, key: string): string {
  const value = text(data, key);
  if (value !== "" && value.length <= longestName) return value;
  throw new ScoutEventError(`/data/${key}: expected a name of at most ${longestName} characters`);
}

function text(data: JsonObject, key: string): string {
  const value = data[key] ?? "";
  if (typeof value === "string") return value;
  throw new ScoutEventError(`/data/${key}: expected a text`);
}

function figures({ perfdata }: JsonObject): PerformanceFigure[] {
  if (!Array.isArray(perfdata)) return [];
  return perfdata.slice(0, mostFigures).flatMap((entry: unknown) => {
    if (!isObject(entry) || typeof entry.label !== "string" || typeof entry.value !== "number") return [];
    const unit = typeof entry.unit === "string" ? entry.unit.slice(0, 8) : "";
    return [{ label: entry.label.slice(0, longestName), value: entry.value, unit }];
  });
}
