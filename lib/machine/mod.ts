/**
 * Autonomous agents: state machines that run on a node by themselves, network or no network.
 *
 * @module
 */
export { type CommandOptions, type CommandOutcome, runCommand } from "./command.ts";
export type { MachineData } from "./data.ts";
export { type GovernedOptions, governed } from "./governed.ts";
export { Pulse, type PulseOptions } from "./pulse.ts";
export type {
  ForeignState,
  MachineNode,
  MachineSettings,
  WatchedMachine,
  Watcher,
  WatcherContext,
  WatcherDefinition,
  WatcherKind,
  WatcherSnapshot,
} from "./watcher.ts";
export { watcherKind } from "./watchers/registry.ts";
