import type { JsonObject } from "../std/mod.ts";

/** A machine of the node, as agents see it. */
export interface ScoutMachine {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  /** Its folder. */
  readonly path: string;
  /** Made anew each time the machine is loaded. */
  readonly id: string;
  /** When it started, Unix seconds. */
  readonly startTime: number;
  /** Events that its state has transitions for. */
  readonly availableTransitions: readonly string[];
  /** Whether it is a check: one of its watchers is of the kind `nagios`. */
  readonly isCheck: boolean;
  /** What a check last published of itself. */
  readonly status: JsonObject | undefined;
}

/** The machines of the node, and the one thing that is done to them. */
export interface ScoutMachines {
  /** All that run, sorted by name. */
  list(): readonly ScoutMachine[];
  /** Fire a transition of one of them. @throws {Error} when its state has none of that name. */
  transition(id: string, event: string): Promise<void>;
}
