import { randomUUID } from "node:crypto";
import { cloudEvent, cloudEventData } from "../lifecycle/mod.ts";
import { encodeUtf8, type JsonObject, parseObject } from "../std/mod.ts";

/** What every document of a machine says. */
interface EventHead {
  readonly identity: string;
  /** The machine's instance id. */
  readonly id: string;
  /** Version of the machine. */
  readonly version: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Name of the machine. */
  readonly machine: string;
}

/** A machine went from one state into another: `io.choria.machine.v1.transition`. */
export interface TransitionEvent extends EventHead {
  readonly kind: "transition";
  readonly transition: string;
  readonly from: string;
  readonly to: string;
}

/** What a watcher tells of itself: `io.choria.machine.watcher.TYPE.v1.state`. */
export interface WatcherEvent extends EventHead {
  readonly kind: "watcher";
  readonly type: string;
  /** Name of the watcher. */
  readonly name: string;
  /** What its kind adds. */
  readonly fields: JsonObject;
}

/** A document that machines publish. */
export type MachineEvent = TransitionEvent | WatcherEvent;

/** A document that no machine has published. */
export class MachineEventError extends Error {
  override readonly name = "MachineEventError";
}

const source = "io.choria.machine";
const transitionProtocol = "io.choria.machine.v1.transition";
const watcherProtocol = /^io\.choria\.machine\.watcher\.([a-z_]{1,40})\.v1\.state$/;

/** Where an event is published. */
export function machineEventSubject(event: MachineEvent): string {
  return event.kind === "transition" ? machineSubjects.transitions : machineSubjects.watchers(event.type);
}

/** The subjects of machines' events. */
export const machineSubjects = {
  transitions: "choria.machine.transition",
  /** @param type Kind of the watchers; every kind by default. */
  watchers: (type = "*"): string => `choria.machine.watcher.${type}.state`,
} as const;

/** Write an event in its CloudEvents envelope. */
export function encodeMachineEvent(event: MachineEvent): Uint8Array {
  const data = machineEventData(event);
  const envelope = cloudEvent({
    id: randomUUID(),
    source,
    type: protocolOf(event),
    subject: event.identity,
    timestamp: event.timestamp,
    data,
  });
  return encodeUtf8(JSON.stringify(envelope));
}

/** The document inside of the envelope. */
export function machineEventData(event: MachineEvent): JsonObject {
  const { identity, id, version, timestamp, machine } = event;
  const head = { protocol: protocolOf(event), identity, id, version, timestamp };
  if (event.kind === "watcher") return { ...head, type: event.type, machine, name: event.name, ...event.fields };
  return { ...head, machine, transition: event.transition, from_state: event.from, to_state: event.to };
}

/**
 * Read an event of a machine.
 *
 * @throws {MachineEventError} naming what is wrong.
 */
export function decodeMachineEvent(bytes: Uint8Array | string): MachineEvent {
  const data = cloudEventData(documentOf(bytes), source);
  if (data === undefined) throw new MachineEventError("unsupported event format");
  const { protocol, identity, id, version, timestamp, type, machine, name, ...fields } = data;
  const head = {
    identity: text("identity", identity),
    id: text("id", id),
    version: text("version", version),
    timestamp: integer("timestamp", timestamp),
    machine: text("machine", machine),
  };
  if (protocol === transitionProtocol) {
    const [transition, from, to] = ["transition", "from_state", "to_state"].map((key) => text(key, fields[key]));
    return { kind: "transition", ...head, transition: transition ?? "", from: from ?? "", to: to ?? "" };
  }
  const kind = watcherProtocol.exec(String(protocol))?.[1];
  if (kind === undefined) throw new MachineEventError(`unknown protocol '${String(protocol).slice(0, 80)}' received`);
  return { kind: "watcher", ...head, type: text("type", type), name: text("name", name), fields };
}

function protocolOf(event: MachineEvent): string {
  return event.kind === "transition" ? transitionProtocol : `io.choria.machine.watcher.${event.type}.v1.state`;
}

function documentOf(bytes: Uint8Array | string): JsonObject {
  try {
    return parseObject(bytes);
  } catch (error) {
    throw new MachineEventError("unsupported event format", { cause: error });
  }
}

function text(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new MachineEventError(`Cannot read the event of a machine: /${key}: expected a string`);
}

function integer(key: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new MachineEventError(`Cannot read the event of a machine: /${key}: expected a whole number`);
}
