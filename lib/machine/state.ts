import type { JsonObject } from "../std/mod.ts";

/** What a machine is and what it does now. */
export interface MachineState {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  /** The folder of the machine. */
  readonly path: string;
  /** Made anew each time the machine is loaded. */
  readonly id: string;
  /** Unix seconds; {@link neverStarted} where it has not started. */
  readonly startTime: number;
  /** Transitions that its state allows, sorted. */
  readonly availableTransitions: readonly string[];
  /** Whether it is a health check. */
  readonly scout: boolean;
  /** The document that its nagios watcher publishes; none where it has none. */
  readonly currentState?: JsonObject;
}

/** How a machine is picked out; what is empty or missing does not matter. */
export interface MachineCriteria {
  readonly name?: string;
  readonly version?: string;
  readonly path?: string;
  readonly id?: string;
}

/** The start time of what has not started, in Unix seconds: the zero time of Go's documents. */
export const neverStarted = -62_135_596_800;

/** Whether a machine is one that is looked for. No criteria match nothing. */
export function matchesCriteria(state: MachineCriteria, criteria: MachineCriteria): boolean {
  const wanted = (["name", "version", "path", "id"] as const).filter((key) => (criteria[key] ?? "") !== "");
  return wanted.length > 0 && wanted.every((key) => criteria[key] === state[key]);
}
