/**
 * Autonomous agents: state machines that run on a node by themselves, network or no network.
 *
 * @module
 */
export { type ArchiveLimits, archiveLimits, type ExtractOptions, extractArchive } from "./archive/extract.ts";
export { type FetchOptions, fetchArchive } from "./archive/fetch.ts";
export { checkInstalled, type Installed, type InstallOptions, installArchive } from "./archive/install.ts";
export { type PackedArchive, packArchive } from "./archive/pack.ts";
export {
  checkFolder,
  faultsOf,
  fileDigest,
  formatSums,
  parseSums,
  type Sums,
  sumFolder,
} from "./archive/sums.ts";
export { ArchiveError } from "./archive/tar.ts";
export { checkManifest, type ManifestReport } from "./check.ts";
export { type CommandOptions, type CommandOutcome, runCommand } from "./command.ts";
export type { MachineData } from "./data.ts";
export {
  compileMachine,
  defineMachine,
  type GoDuration,
  type Interval,
  type MachineSpec,
  type PropertiesOf,
  type TransitionSpec,
  type WatcherSpec,
} from "./define.ts";
export { describeMachineEvent } from "./describe.ts";
export {
  answerDevice,
  type DeviceAnswer,
  type DeviceRequest,
  type FindWatcher,
  type MetricDevice,
  type MetricDocument,
  type SwitchDevice,
} from "./devices.ts";
export {
  decodeMachineEvent,
  encodeMachineEvent,
  type MachineEvent,
  MachineEventError,
  machineEventData,
  machineEventSubject,
  machineSubjects,
  type TransitionEvent,
  type WatcherEvent,
} from "./events.ts";
export { type GossOptions, type GossOutcome, validateWithGoss } from "./goss.ts";
export { type GovernedOptions, governed } from "./governed.ts";
export { edgesOf, type GraphEdge, machineDot } from "./graph.ts";
export { machineSvg } from "./graph_svg.ts";
export { MachineGroup, type MachineGroupOptions } from "./group.ts";
export { type MachineHost, type MachineHostOptions, startMachineHost } from "./host.ts";
export { type MachineListener, type MachineListenerOptions, startMachineListener } from "./http_listener.ts";
export type { Machine } from "./machine.ts";
export {
  type DecodedManifest,
  decodeManifest,
  type InspectedManifest,
  inspectManifest,
  type Manifest,
  type ManifestWarning,
  type ManifestWatcher,
  type Subscription,
  type Transition,
  type WatcherPlace,
} from "./manifest.ts";
export { ManifestError, type ManifestFault } from "./manifest_error.ts";
export { type ManagerOptions, managerName, pluginSums, renderManager } from "./plugins/manager_machine.ts";
export { type MatchedNode, matchesNode } from "./plugins/matcher.ts";
export { pluginsManager } from "./plugins/plugins_manager.ts";
export {
  isSigned,
  type PluginEntry,
  packSpecification,
  parsePlugins,
  readSpecification,
  SpecificationError,
} from "./plugins/specification.ts";
export { type PropertyType, propertyNames, type WatcherType, watcherProperties } from "./properties.ts";
export { Pulse, type PulseOptions } from "./pulse.ts";
export { type MachineCriteria, type MachineState, neverStarted } from "./state.ts";
export { statesOf } from "./states.ts";
export { loadMachine, type StoredMachine } from "./store.ts";
export {
  type ForeignState,
  type MachineNode,
  type MachineSettings,
  noSettings,
  type WatchedMachine,
  type Watcher,
  type WatcherContext,
  type WatcherDefinition,
  type WatcherKind,
  type WatcherSnapshot,
} from "./watcher.ts";
export { watcherKind } from "./watchers/registry.ts";
