/** What can happen to a node that others are told of. */
export const eventTypes = ["alive", "governor", "provisioned", "shutdown", "startup", "upgraded"] as const;

/** One of the {@link eventTypes}. */
export type EventType = (typeof eventTypes)[number];

/** What every lifecycle event says. */
interface EventBase {
  /** UUID. */
  id: string;
  /** Node that it happened to. */
  identity: string;
  /** Kind of program: `server`, `provision_mode_server`, `service_host`, `provisioner`, `CLI` or a machine's name. */
  component: string;
  /** When, in Unix seconds. */
  timestamp: number;
}

/** A program started, or still runs. */
export interface VersionEvent extends EventBase {
  type: "startup" | "alive";
  version: string;
}

/** A program stopped, or a node was provisioned. */
export interface PlainEvent extends EventBase {
  type: "shutdown" | "provisioned";
}

/** A program was replaced by another version of itself. */
export interface UpgradedEvent extends EventBase {
  type: "upgraded";
  version: string;
  newVersion: string;
}

/** Somebody took, left or did not get a slot of a governor. */
export interface GovernorEvent extends EventBase {
  type: "governor";
  governor: string;
  /** The slot's number; 0 where there is none. */
  sequence: number;
  action: "enter" | "exit" | "timeouts" | "eviction";
}

/** Something that happened to a node. */
export type LifecycleEvent = VersionEvent | PlainEvent | UpgradedEvent | GovernorEvent;

/** What distinguishes an event before it is given an id and a time. */
export type NewEvent = LifecycleEvent extends infer E
  ? E extends EventBase
    ? Omit<E, "id" | "timestamp">
    : never
  : never;

/**
 * Make an event of now, with a fresh id.
 *
 * @param now Milliseconds since the epoch.
 */
export function newEvent(fields: NewEvent, now: number): LifecycleEvent {
  return { ...fields, id: crypto.randomUUID(), timestamp: Math.floor(now / 1_000) };
}

/** The event as one line for people, for example `[startup] n1.example.net: server version 1.2.3`. */
export function describeEvent(event: LifecycleEvent): string {
  return `[${event.type}] ${event.identity}: ${describe(event)}`;
}

function describe(event: LifecycleEvent): string {
  switch (event.type) {
    case "startup":
    case "alive":
      return `${event.component} version ${event.version}`;
    case "shutdown":
    case "provisioned":
      return event.component;
    case "upgraded":
      return `${event.component} version ${event.version} to ${event.newVersion}`;
    case "governor":
      return describeGovernor(event);
  }
}

function describeGovernor({ action, governor, sequence }: GovernorEvent): string {
  const place = sequence > 0 ? `slot ${sequence} on ${governor}` : governor;
  switch (action) {
    case "enter":
      return sequence > 0 ? `obtained ${place}` : `obtained slot on ${governor}`;
    case "exit":
      return `vacated ${place}`;
    case "timeouts":
      return `failed to obtain a slot on ${governor}`;
    case "eviction":
      return `evicted from ${place}`;
  }
}
