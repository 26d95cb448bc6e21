import { ManifestReader } from "./_manifest_reader.ts";
import { readYaml, YamlError } from "./_yaml.ts";
import { ManifestError, type ManifestFault } from "./manifest_error.ts";
import type { WatcherDefinition } from "./watcher.ts";

/** A change of state that may be fired. */
export interface Transition {
  readonly name: string;
  /** States in which it may be fired. */
  readonly from: readonly string[];
  /** The state that it leads to. */
  readonly destination: string;
  readonly description: string;
  /** Transitions of other machines that fire it. */
  readonly subscribe: readonly Subscription[];
}

/** A transition of another machine. */
export interface Subscription {
  readonly machine: string;
  readonly event: string;
}

/** A watcher as a manifest declares it. */
export interface ManifestWatcher extends WatcherDefinition {
  /** What is wrong with its interval; the machine loads but does not start. */
  readonly fault?: string;
}

/** A machine as `machine.yaml` describes it, checked. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly initialState: string;
  /** The machine starts after a random part of these seconds. */
  readonly splayStart: number;
  readonly transitions: readonly Transition[];
  readonly watchers: readonly ManifestWatcher[];
}

/** Something in a manifest that means nothing to anybody. */
export interface ManifestWarning {
  readonly text: string;
  readonly line: number;
}

/** Where a watcher stands in its manifest. */
export interface WatcherPlace {
  /** Counted from 1. */
  readonly line: number;
  /** Lines of its properties by their names. */
  readonly properties: ReadonlyMap<string, number>;
}

/** Everything that {@link inspectManifest} finds in a file. */
export interface InspectedManifest extends DecodedManifest {
  readonly faults: readonly ManifestFault[];
  /** Where the watchers stand, in their order. */
  readonly places: readonly WatcherPlace[];
}

/** What {@link decodeManifest} makes of a file. */
export interface DecodedManifest {
  readonly manifest: Manifest;
  readonly warnings: readonly ManifestWarning[];
}

/** Largest file that is read, in characters. */
const maxText = 8 * 1024 * 1024;

/**
 * Read `machine.yaml`. Keys that are not known are warnings.
 *
 * @throws {ManifestError} `could not load machine.yaml: …` for the first fault.
 */
export function decodeManifest(text: string): DecodedManifest {
  const { manifest, faults, warnings } = inspectManifest(text);
  const [fault] = faults;
  if (fault !== undefined) throw new ManifestError(fault);
  return { manifest, warnings };
}

/** Read `machine.yaml` and tell of everything that is wrong with it. The manifest is of use where there are no faults. */
export function inspectManifest(text: string): InspectedManifest {
  const reader = new ManifestReader();
  try {
    if (text.length > maxText) reader.fault(`it is larger than ${maxText} characters`);
    else reader.read(readYaml(text));
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    reader.broken(error);
  }
  return reader;
}
