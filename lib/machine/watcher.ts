import type { Connection } from "../connector/mod.ts";
import type { runProcess } from "../process/mod.ts";
import type { Clock, JsonObject, Logger } from "../std/mod.ts";
import type { MachineData } from "./data.ts";

/** A watcher as a manifest declares it, checked and with durations in milliseconds. */
export interface WatcherDefinition {
  readonly name: string;
  /** Which kind it is: `exec`, `timer`, `nagios`… */
  readonly type: string;
  /** States of the machine in which it is active; every state where there is none. */
  readonly stateMatch: readonly string[];
  /** States that other machines of the node have to be in. */
  readonly foreignStates: readonly ForeignState[];
  /** Fired after a success; empty for none. */
  readonly successTransition: string;
  /** Fired after a failure; empty for none. */
  readonly failTransition: string;
  /** Milliseconds between runs; 0 where the manifest has none. */
  readonly interval: number;
  /** Milliseconds between announcements of the watcher's state; 0 for none. */
  readonly announceInterval: number;
  /** What the kind makes of itself, as the manifest has it. */
  readonly properties: JsonObject;
}

/** A state that another machine has to be in. */
export interface ForeignState {
  readonly machine: string;
  readonly state: string;
}

/** The node as its machines see it. */
export interface MachineNode {
  readonly identity: string;
  /** The main collective. */
  readonly collective: string;
  readonly clock: Clock;
  /** A number from 0 to below 1; `Math.random` outside of tests. */
  readonly random: () => number;
  /** Facts as they are now. Never rejects. */
  facts(): Promise<JsonObject>;
  /** The broker; none where machines run by themselves, as with `choria machine run`. */
  readonly connection: Connection | undefined;
  readonly settings: MachineSettings;
  /**
   * What runs the programs of watchers; tests give their own.
   * @default runProcess
   */
  readonly runProgram?: typeof runProcess;
}

/** What the server's configuration says to machines. Empty texts stand for what is not set. */
export interface MachineSettings {
  /** `plugin.choria.prometheus_textfile_directory` */
  readonly textfileFolder: string;
  /** `plugin.scout.overrides` */
  readonly overridesFile: string;
  /** `plugin.choria.status_file_path` */
  readonly statusFile: string;
  /** `plugin.choria.status_update_interval`, milliseconds. */
  readonly statusInterval: number;
  /** `plugin.choria.machine.signing_key`, hex; stands in for the key of every plugins watcher. */
  readonly signingKey: string;
  /** `plugin.scout.goss.denied_local_resources` */
  readonly deniedGossResources: readonly string[];
}

/** The settings of a node whose configuration says nothing to machines. */
export const noSettings: MachineSettings = {
  textfileFolder: "",
  overridesFile: "",
  statusFile: "",
  statusInterval: 30_000,
  signingKey: "",
  deniedGossResources: [],
};

/** A running machine as its watchers see it. */
export interface WatchedMachine {
  readonly name: string;
  readonly version: string;
  /** Made anew each time the machine is loaded. */
  readonly id: string;
  /** Absolute path. */
  readonly folder: string;
  readonly node: MachineNode;
  /** What outlives restarts: `machine_data.json`. */
  readonly data: MachineData;
  /** The state it is in now. */
  readonly state: string;
}

/** What a watcher gets to work with. */
export interface WatcherContext {
  readonly definition: WatcherDefinition;
  readonly machine: WatchedMachine;
  readonly logger: Logger;
  /** Aborts when the machine stops. Timers and processes of the watcher end with it. */
  readonly signal: AbortSignal;
  /** Whether the machine, and those that the definition names, are in states that make the watcher active. */
  isActive(): boolean;
  /** Publish what {@link Watcher.snapshot} gives. */
  announce(): void;
  /** Fire a transition of the machine. An event that the state has no transition for is logged and ignored. */
  fire(event: string): Promise<void>;
  /** Fire the success transition, where there is one. */
  succeed(): Promise<void>;
  /** Fire the fail transition, where there is one. */
  fail(): Promise<void>;
  /** Fill in a template from the node's facts and the machine's data. @throws {Error} naming what is wrong with it. */
  render(template: string): Promise<string>;
}

/** What a watcher tells of itself. */
export interface WatcherSnapshot {
  /** What its kind adds to the published document. */
  readonly fields: JsonObject;
  /** One line for people, without the machine's id: `requests#download source: … previous: verified ran: 0.012s`. */
  readonly text: string;
}

/** Watches one thing for a machine. Nothing it does may throw outside of its own promises. */
export interface Watcher {
  /** Begin, in the machine's initial state. Called once. */
  start(): void;
  /** The machine is in another state. Called once for several changes that came close together. */
  stateChanged(): void;
  snapshot(): WatcherSnapshot;
  /** The machine's folder is gone for good: leave nothing behind. */
  deleted?(): void | Promise<void>;
}

/** A kind of watcher, one a file in `watchers/`. */
export interface WatcherKind {
  readonly type: string;
  /** @throws {Error} naming the property that is wrong. */
  create(context: WatcherContext): Watcher;
}
