import { type JsonObject, parseObject } from "../std/mod.ts";
import { cloudEventData } from "./cloudevent.ts";
import { eventSource, protocolPrefix } from "./encode.ts";
import type { EventType, GovernorEvent, LifecycleEvent } from "./event.ts";
import { eventTypes } from "./event.ts";

/** A document that is no lifecycle event. */
export class LifecycleError extends Error {
  override readonly name = "LifecycleError";
}

/**
 * Read an event, with or without its CloudEvents envelope.
 *
 * @throws {LifecycleError} `unsupported event format`, `unknown protocol 'P' received`, `governor name is not set`,
 * or naming the key of another form.
 */
export function decodeEvent(data: Uint8Array | string): LifecycleEvent {
  const document = readDocument(data);
  const { protocol } = document;
  if (typeof protocol === "string" && protocol.startsWith("io.choria.lifecycle"))
    return decodeInner(document, protocol);
  const inner = cloudEventData(document, eventSource);
  if (inner === undefined) throw new LifecycleError("unsupported event format");
  return decodeInner(inner, typeof inner.protocol === "string" ? inner.protocol : "");
}

function readDocument(data: Uint8Array | string): JsonObject {
  try {
    return parseObject(data);
  } catch (error) {
    throw new LifecycleError("unsupported event format", { cause: error });
  }
}

function decodeInner(document: JsonObject, protocol: string): LifecycleEvent {
  const type = typeOf(protocol);
  const base = {
    id: text(document, "id"),
    identity: text(document, "identity"),
    component: text(document, "component"),
    timestamp: integer(document, "timestamp"),
  };
  switch (type) {
    case "startup":
    case "alive":
      return { type, ...base, version: text(document, "version") };
    case "shutdown":
    case "provisioned":
      return { type, ...base };
    case "upgraded":
      return { type, ...base, version: text(document, "version"), newVersion: text(document, "new_version") };
    case "governor":
      return { type, ...base, ...governorOf(document) };
  }
}

/** The type a protocol stands for; envelopes of older programs carry `choria:lifecycle:TYPE:1`. */
function typeOf(protocol: string): EventType {
  const old = /^choria:lifecycle:(\w+):1$/.exec(protocol)?.[1];
  const name = old ?? (protocol.startsWith(protocolPrefix) ? protocol.slice(protocolPrefix.length) : "");
  const type = eventTypes.find((known) => known === name);
  if (type === undefined) throw new LifecycleError(`unknown protocol '${protocol.slice(0, 80)}' received`);
  return type;
}

function governorOf(document: JsonObject): Pick<GovernorEvent, "governor" | "sequence" | "action"> {
  const governor = text(document, "governor");
  if (governor === "") throw new LifecycleError("governor name is not set");
  const action = document.event_type;
  if (action !== "enter" && action !== "exit" && action !== "timeouts" && action !== "eviction") {
    throw new LifecycleError("Cannot read the governor event: /event_type: expected enter, exit, timeouts or eviction");
  }
  return { governor, sequence: document.sequence === undefined ? 0 : integer(document, "sequence"), action };
}

function text(document: JsonObject, key: string): string {
  const value = document[key] ?? "";
  if (typeof value !== "string") throw new LifecycleError(`Cannot read the event: /${key}: expected a string`);
  return value;
}

function integer(document: JsonObject, key: string): number {
  const value = document[key];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new LifecycleError(`Cannot read the event: /${key}: expected a whole number`);
}
