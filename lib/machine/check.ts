import { errorText, silentLogger, systemClock } from "../std/mod.ts";
import { createContext } from "./context.ts";
import type { MachineData } from "./data.ts";
import { inspectManifest, type Manifest, type ManifestWatcher } from "./manifest.ts";
import type { ManifestFault } from "./manifest_error.ts";
import { propertyNames, watcherProperties } from "./properties.ts";
import { statesOf } from "./states.ts";
import { type MachineNode, noSettings, type WatchedMachine } from "./watcher.ts";
import { watcherKind } from "./watchers/registry.ts";

/** What is wrong with a manifest, and what is merely odd, in the order of the lines. */
export interface ManifestReport {
  /** What keeps the machine from running. */
  readonly faults: readonly ManifestFault[];
  /** What means nothing or has no effect. */
  readonly warnings: readonly ManifestFault[];
}

/** Look a manifest over: all that loading would refuse, and what starting would. */
export async function checkManifest(text: string): Promise<ManifestReport> {
  const { manifest, faults, warnings, places } = inspectManifest(text);
  const odd: ManifestFault[] = warnings.map(({ text: reason, line }) => ({ reason, line, advice: "take it out" }));
  if (faults.length > 0) return { faults, warnings: inOrder(odd) };
  const found: ManifestFault[] = [];
  const seen = new Set<string>();
  for (const [index, watcher] of manifest.watchers.entries()) {
    const { line = 0, properties = new Map<string, number>() } = places[index] ?? {};
    const fault = await startFault(manifest, watcher, seen);
    if (fault !== undefined) found.push({ ...fault, line });
    odd.push(...oddProperties(watcher, properties));
  }
  return { faults: found, warnings: inOrder([...odd, ...unreachable(manifest)]) };
}

/** What starting the watcher would say. */
async function startFault(
  manifest: Manifest,
  watcher: ManifestWatcher,
  seen: Set<string>,
): Promise<Omit<ManifestFault, "line"> | undefined> {
  const { name, type, fault } = watcher;
  if (seen.has(name)) return { reason: `watcher ${name} already exist`, advice: "give each watcher a name of its own" };
  seen.add(name);
  try {
    const kind = await watcherKind(type);
    if (fault !== undefined) throw new Error(fault);
    kind.create(idleContext(manifest, watcher));
    return undefined;
  } catch (error) {
    const reason = errorText(error);
    if (!reason.startsWith("unknown watcher"))
      return { reason: `could not create ${type} watcher '${name}': ${reason}` };
    return { reason, advice: `the kinds of watchers are ${Object.keys(watcherProperties).join(", ")}` };
  }
}

function oddProperties(
  { name, type, properties }: ManifestWatcher,
  lines: ReadonlyMap<string, number>,
): ManifestFault[] {
  const known = propertyNames(type);
  if (known === undefined) return [];
  return Object.keys(properties)
    .filter((key) => !known.includes(key.toLowerCase()))
    .map((key) => ({
      reason: `the property "${key.slice(0, 80)}" of the watcher "${name}" means nothing`,
      line: lines.get(key) ?? 0,
      advice: `those of ${type} watchers are ${known.join(", ")}`,
    }));
}

/** States that nothing leads to are most likely misspelt. */
function unreachable(manifest: Manifest): ManifestFault[] {
  const reached = new Set([manifest.initialState]);
  for (let size = 0; size !== reached.size; ) {
    size = reached.size;
    for (const { from, destination } of manifest.transitions) {
      if (from.some((state) => reached.has(state))) reached.add(destination);
    }
  }
  return statesOf(manifest)
    .filter((state) => !reached.has(state))
    .map((state) => ({ reason: `no transition leads to the state ${state}`, line: 0 }));
}

function inOrder(faults: readonly ManifestFault[]): ManifestFault[] {
  return faults.toSorted((a, b) => a.line - b.line);
}

/** A context in which nothing ever happens. */
function idleContext(manifest: Manifest, watcher: ManifestWatcher) {
  const data: MachineData = { all: {}, get: () => undefined, set() {}, merge() {}, delete() {} };
  const { name, version, initialState: state } = manifest;
  const machine: WatchedMachine = { name, version, id: "", folder: "/", node: idleNode, data, state };
  const signal = AbortSignal.abort();
  const nothing = () => Promise.resolve();
  const controls = { signal, logger: silentLogger, fire: nothing, announce() {}, stateOf: () => undefined };
  return createContext(machine, watcher, controls);
}

const idleNode: MachineNode = {
  identity: "",
  collective: "",
  clock: systemClock,
  random: () => 0,
  facts: () => Promise.resolve({}),
  connection: undefined,
  settings: noSettings,
};
