import { errorText, formatDuration, type JsonObject } from "../std/mod.ts";
import { type Place, plainValue, type YamlEntry, type YamlError, type YamlTree } from "./_yaml.ts";
import { parseInterval } from "./interval.ts";
import type { Manifest, ManifestWarning, ManifestWatcher, Subscription, Transition, WatcherPlace } from "./manifest.ts";
import type { ManifestFault } from "./manifest_error.ts";
import { statesOf } from "./states.ts";
import type { ForeignState } from "./watcher.ts";

const shortestAnnouncement = 60_000;

type Mapping = ReadonlyMap<string, YamlEntry>;

/** Where the parts of a manifest stand, for the checks that come once all of it is read. */
interface Places {
  readonly watchers: { readonly watcher: ManifestWatcher; readonly entries: Mapping }[];
  readonly subscriptions: { readonly transition: string; readonly value: Subscription; readonly at: Place }[];
}

/** What watchers may refer to. */
interface Names {
  readonly states: ReadonlySet<string>;
  readonly events: ReadonlySet<string>;
}

/** Reads a manifest and keeps what is wrong with it in the order in which peers look. */
export class ManifestReader {
  readonly faults: ManifestFault[] = [];
  readonly warnings: ManifestWarning[] = [];
  /** Where each of the watchers stands. */
  readonly places: WatcherPlace[] = [];
  readonly #places: Places = { watchers: [], subscriptions: [] };
  manifest: Manifest = { name: "", version: "", initialState: "", splayStart: 0, transitions: [], watchers: [] };

  /** Take a fault down. */
  fault(reason: string, at?: Place, advice?: string): void {
    this.faults.push({ reason, line: at?.line ?? 0, ...(advice === undefined ? {} : { advice }) });
  }

  /** Take down that the file is no YAML. */
  broken({ message, at }: YamlError): void {
    this.fault(`[${at.line}:${at.column}] ${message}`, at);
  }

  /** Read all of it. */
  read(tree: YamlTree | undefined): void {
    const entries = this.#entries(tree);
    this.#expectKeys(entries, "the manifest", topKeys);
    this.manifest = {
      name: this.#text(entries, "name"),
      version: this.#text(entries, "version"),
      initialState: this.#text(entries, "initial_state"),
      splayStart: this.#integer(entries, "splay_start"),
      transitions: this.#list(entries, "transitions").map((item) => this.#transition(item)),
      watchers: this.#list(entries, "watchers").map((item) => this.#watcher(item)),
    };
    // Faults of a type keep the reader of the original from looking any further.
    if (this.faults.length === 0) this.#validate(entries);
  }

  #transition(tree: YamlTree): Transition {
    const entries = this.#entries(tree);
    const name = this.#text(entries, "name");
    this.#expectKeys(entries, `the transition "${name}"`, transitionKeys);
    return {
      name,
      from: this.#texts(entries, "from"),
      destination: this.#text(entries, "destination"),
      description: this.#text(entries, "description"),
      subscribe: this.#list(entries, "subscribe").map((item) => this.#subscription(item, name)),
    };
  }

  #subscription(tree: YamlTree, transition: string): Subscription {
    const entries = this.#entries(tree);
    this.#expectKeys(entries, `a subscription of the transition "${transition}"`, ["machine_name", "event"]);
    const value = { machine: this.#text(entries, "machine_name"), event: this.#text(entries, "event") };
    this.#places.subscriptions.push({ transition, value, at: tree.at });
    return value;
  }

  #watcher(tree: YamlTree): ManifestWatcher {
    const entries = this.#entries(tree);
    const name = this.#text(entries, "name");
    this.#expectKeys(entries, `the watcher "${name}"`, watcherKeys);
    const { value: interval, fault } = readInterval(this.#text(entries, "interval"));
    const watcher = {
      name,
      type: this.#text(entries, "type"),
      stateMatch: this.#texts(entries, "state_match"),
      foreignStates: this.#list(entries, "foreign_state_required").map((item) => this.#foreignState(item, name)),
      successTransition: this.#text(entries, "success_transition"),
      failTransition: this.#text(entries, "fail_transition"),
      interval,
      announceInterval: readInterval(this.#text(entries, "announce_interval")).value,
      properties: this.#properties(entries),
      ...(fault === undefined ? {} : { fault }),
    };
    this.#places.watchers.push({ watcher, entries });
    this.places.push({ line: tree.at.line, properties: linesOf(entries.get("properties")?.value) });
    return watcher;
  }

  #foreignState(tree: YamlTree, watcher: string): ForeignState {
    const entries = this.#entries(tree);
    this.#expectKeys(entries, `a foreign state of the watcher "${watcher}"`, ["machine_name", "state"]);
    return { machine: this.#text(entries, "machine_name"), state: this.#text(entries, "state") };
  }

  #properties(entries: Mapping): JsonObject {
    const value = entries.get("properties")?.value;
    if (value === undefined || isNothing(value)) return {};
    this.#entries(value);
    return value.kind === "mapping" ? (plainValue(value) as JsonObject) : {};
  }

  #validate(entries: Mapping): void {
    const { name, version, initialState, transitions, watchers } = this.manifest;
    const missing = (reason: string, key: string, advice: string) =>
      this.fault(`validation failed: ${reason}`, entries.get(key)?.key, advice);
    if (name === "") missing("a machine name is required", "name", "add `name: my_machine`");
    if (version === "") missing("a machine version is required", "version", "add `version: 1.0.0`");
    if (initialState === "") {
      missing("an initial state is required", "initial_state", "add `initial_state:` with the state to begin in");
    }
    if (transitions.length === 0) {
      missing(
        "no transitions defined",
        "transitions",
        "add `transitions:` with at least one of name, from, destination",
      );
    }
    if (watchers.length === 0) {
      missing("no watchers defined", "watchers", "add `watchers:` with at least one of name and type");
    }
    if (this.faults.length > 0) return;
    const names: Names = {
      states: new Set(statesOf(this.manifest)),
      events: new Set(transitions.map((transition) => transition.name)),
    };
    for (const { watcher, entries } of this.#places.watchers) this.#validateWatcher(watcher, entries, names);
    for (const { transition, value, at } of this.#places.subscriptions) {
      const end = `name is required on subscription for transition "${transition}"`;
      if (value.machine === "") this.fault(`machine ${end}`, at, "add `machine_name:`");
      if (value.event === "") this.fault(`event ${end}`, at, "add `event:` with a transition of that machine");
    }
  }

  #validateWatcher(watcher: ManifestWatcher, entries: Mapping, { states, events }: Names): void {
    const { name, stateMatch, successTransition, failTransition } = watcher;
    const fault = (reason: string, key: string, advice?: string) =>
      this.fault(`validation failed: ${reason}`, entries.get(key)?.key, advice);
    this.#validateAnnouncement(watcher, entries);
    const wrong = stateMatch.find((state) => !states.has(state));
    if (wrong !== undefined) {
      fault(`invalid state ${wrong} in state match for watcher ${name}`, "state_match", oneOf("states", states));
    }
    const advice = oneOf("transitions", events);
    if (successTransition !== "" && !events.has(successTransition)) {
      fault(
        `invalid success_transition ${successTransition} specified in watcher ${name}`,
        "success_transition",
        advice,
      );
    }
    if (failTransition !== "" && !events.has(failTransition)) {
      fault(`invalid fail_transition ${failTransition} specified in watcher ${name}`, "fail_transition", advice);
    }
  }

  #validateAnnouncement({ name, announceInterval }: ManifestWatcher, entries: Mapping): void {
    const at = entries.get("announce_interval")?.key;
    const { fault } = readInterval(this.#text(entries, "announce_interval"));
    const advice = "give one minute or more, for example `1m`, `6h` or `1d`";
    if (fault !== undefined) {
      this.fault(`validation failed: unknown announce interval for watcher ${name}: ${fault}`, at, advice);
    } else if (announceInterval !== 0 && announceInterval < shortestAnnouncement) {
      const given = formatDuration(announceInterval);
      this.fault(`validation failed: announce interval ${given} is too small for watcher ${name}`, at, advice);
    }
  }

  #entries(tree: YamlTree | undefined): Mapping {
    if (tree?.kind === "mapping") return tree.entries;
    if (tree !== undefined && !isNothing(tree)) this.#mismatch(tree, "mapping");
    return new Map();
  }

  #list(entries: Mapping, key: string): readonly YamlTree[] {
    const tree = entries.get(key)?.value;
    if (tree === undefined || isNothing(tree)) return [];
    if (tree.kind === "sequence") return tree.items;
    this.#mismatch(tree, "sequence");
    return [];
  }

  #texts(entries: Mapping, key: string): string[] {
    return this.#list(entries, key).map((item) => this.#scalar(item));
  }

  #text(entries: Mapping, key: string): string {
    const tree = entries.get(key)?.value;
    return tree === undefined ? "" : this.#scalar(tree);
  }

  /** A text as it is written: `version: 1.0` is "1.0", not the number 1. */
  #scalar(tree: YamlTree): string {
    if (tree.kind !== "scalar") {
      this.#mismatch(tree, "string");
      return "";
    }
    return tree.value === null ? "" : tree.source;
  }

  #integer(entries: Mapping, key: string): number {
    const tree = entries.get(key)?.value;
    if (tree === undefined || isNothing(tree)) return 0;
    if (tree.kind === "scalar" && Number.isSafeInteger(tree.value) && Number(tree.value) >= 0)
      return Number(tree.value);
    this.#mismatch(tree, "whole number");
    return 0;
  }

  #mismatch(tree: YamlTree, expected: string): void {
    const found = tree.kind === "scalar" ? scalarType(tree.value) : tree.kind;
    const { line, column } = tree.at;
    this.fault(`[${line}:${column}] ${found} was used where ${expected} is expected`, tree.at);
  }

  #expectKeys(entries: Mapping, where: string, known: readonly string[]): void {
    for (const [name, { key }] of entries) {
      if (known.includes(name)) continue;
      this.warnings.push({ text: `the key "${name.slice(0, 80)}" of ${where} means nothing`, line: key.line });
    }
  }
}

const topKeys = ["name", "version", "initial_state", "splay_start", "transitions", "watchers"];
const transitionKeys = ["name", "from", "destination", "description", "subscribe"];
const watcherKeys = [
  "name",
  "type",
  "state_match",
  "foreign_state_required",
  "success_transition",
  "fail_transition",
  "interval",
  "announce_interval",
  "properties",
];

function readInterval(text: string): { value: number; fault?: string } {
  try {
    const value = parseInterval(text);
    return value < 0 ? { value: 0, fault: `interval ${text} is negative` } : { value };
  } catch (error) {
    return { value: 0, fault: errorText(error) };
  }
}

function linesOf(tree: YamlTree | undefined): Map<string, number> {
  if (tree?.kind !== "mapping") return new Map();
  return new Map([...tree.entries].map(([name, { key }]) => [name, key.line]));
}

function oneOf(what: string, names: ReadonlySet<string>): string {
  return `the ${what} of this machine are ${[...names].sort().slice(0, 20).join(", ")}`;
}

function isNothing(tree: YamlTree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}

function scalarType(value: unknown): string {
  return typeof value === "bigint" ? "number" : typeof value;
}
