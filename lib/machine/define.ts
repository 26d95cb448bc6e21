import type { JsonObject } from "../std/mod.ts";
import { loadYaml } from "./_yaml.ts";
import { decodeManifest } from "./manifest.ts";
import type { PropertyType, WatcherType, watcherProperties } from "./properties.ts";

/** A duration in Go's units, such as `30s`, `500ms` or `1h30m`. */
export type GoDuration = `${number}${"ms" | "s" | "m" | "h"}` | `${number}h${number}m` | `${number}m${number}s`;

/** An interval of a watcher: a {@link GoDuration}, or a number of days, weeks, months (`M`) or years. */
export type Interval = GoDuration | `${number}${"d" | "w" | "M" | "y"}`;

interface TypeOf {
  text: string;
  texts: string | readonly string[];
  flag: boolean;
  number: number;
  duration: GoDuration;
  table: Readonly<Record<string, string>>;
  value: Readonly<JsonObject>;
}

type ValueOf<P> = P extends `${infer T extends PropertyType}!` ? TypeOf[T] : P extends PropertyType ? TypeOf[P] : never;

type RequiredNames<T> = { [K in keyof T]: T[K] extends `${string}!` ? K : never }[keyof T];

/** The properties of a kind of watcher. */
export type PropertiesOf<W extends WatcherType> = {
  readonly [K in RequiredNames<(typeof watcherProperties)[W]>]: ValueOf<(typeof watcherProperties)[W][K]>;
} & {
  readonly [K in Exclude<keyof (typeof watcherProperties)[W], RequiredNames<(typeof watcherProperties)[W]>>]?: ValueOf<
    (typeof watcherProperties)[W][K]
  >;
};

/** A watcher of a machine that is written in TypeScript. */
export type WatcherSpec<State extends string, Event extends string> = {
  [W in WatcherType]: {
    readonly type: W;
    /** States in which it is active; every state by default. */
    readonly stateMatch?: readonly State[];
    /** States that other machines of the node have to be in. */
    readonly foreignStates?: readonly { readonly machine: string; readonly state: string }[];
    /** Fired after a success. */
    readonly successTransition?: Event;
    /** Fired after a failure. */
    readonly failTransition?: Event;
    readonly interval?: Interval;
    /** Time between announcements of its state, at least a minute. */
    readonly announceInterval?: Interval;
    readonly properties: PropertiesOf<W>;
  };
}[WatcherType];

/** A transition of a machine that is written in TypeScript. */
export interface TransitionSpec<State extends string> {
  readonly from: readonly State[];
  readonly destination: State;
  readonly description?: string;
  /** Transitions of other machines that fire it. */
  readonly subscribe?: readonly { readonly machine: string; readonly event: string }[];
}

/** A machine that is written in TypeScript. */
export interface MachineSpec<State extends string = string, Event extends string = string> {
  readonly name: string;
  readonly version: string;
  /** Every state there is. */
  readonly states: readonly State[];
  readonly initialState: NoInfer<State>;
  /** The machine starts after a random part of these seconds. */
  readonly splayStart?: number;
  readonly transitions: Readonly<Record<Event, TransitionSpec<NoInfer<State>>>>;
  readonly watchers: Readonly<Record<string, WatcherSpec<NoInfer<State>, NoInfer<Event>>>>;
}

/**
 * Describe a machine in TypeScript. A state, transition or property that is misspelt is an error of the type system.
 * `choria machine compile` makes its `machine.yaml`.
 *
 * @example
 * ```ts
 * export default defineMachine({
 *   name: "traffic_light",
 *   version: "1.0.0",
 *   states: ["RED", "GREEN"],
 *   initialState: "RED",
 *   transitions: {
 *     go: { from: ["RED"], destination: "GREEN" },
 *     stop: { from: ["GREEN"], destination: "RED" },
 *   },
 *   watchers: {
 *     green: { type: "timer", stateMatch: ["GREEN"], failTransition: "stop", properties: { timer: "30s" } },
 *   },
 * });
 * ```
 */
export function defineMachine<const State extends string, const Event extends string>(
  machine: MachineSpec<State, Event>,
): MachineSpec<State, Event> {
  return machine;
}

/**
 * The `machine.yaml` of a machine that is written in TypeScript.
 *
 * @throws {ManifestError} where it could not be loaded, as one whose types were not checked.
 */
export function compileMachine(machine: MachineSpec): string {
  const text = loadYaml().stringify(manifestDocument(machine), { lineWidth: 0 });
  decodeManifest(text);
  return text;
}

function manifestDocument(machine: MachineSpec): JsonObject {
  const { name, version, initialState, splayStart, transitions, watchers } = machine;
  return {
    name,
    version,
    initial_state: initialState,
    ...(splayStart === undefined ? {} : { splay_start: splayStart }),
    transitions: Object.entries(transitions).map(([event, spec]) => transitionDocument(event, spec)),
    watchers: Object.entries(watchers).map(([watcher, spec]) => watcherDocument(watcher, spec)),
  };
}

function transitionDocument(name: string, spec: TransitionSpec<string>): JsonObject {
  const { from, destination, description, subscribe } = spec;
  return withoutGaps({
    name,
    from,
    destination,
    description,
    subscribe: subscribe?.map(({ machine, event }) => ({ machine_name: machine, event })),
  });
}

function watcherDocument(name: string, spec: WatcherSpec<string, string>): JsonObject {
  return withoutGaps({
    name,
    type: spec.type,
    state_match: spec.stateMatch,
    foreign_state_required: spec.foreignStates?.map(({ machine, state }) => ({ machine_name: machine, state })),
    success_transition: spec.successTransition,
    fail_transition: spec.failTransition,
    interval: spec.interval,
    announce_interval: spec.announceInterval,
    properties: spec.properties,
  });
}

function withoutGaps(document: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined));
}
