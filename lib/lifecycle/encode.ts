import { encodeUtf8, type JsonObject } from "../std/mod.ts";
import { cloudEvent } from "./cloudevent.ts";
import type { LifecycleEvent } from "./event.ts";

/** Whether an event travels in a CloudEvents 1.0 envelope, as those of servers do, or by itself. */
export type EventFormat = "cloudevent" | "plain";

/** What the protocol of every event starts with. */
export const protocolPrefix = "io.choria.lifecycle.v1.";
/** Source of the CloudEvents envelope. */
export const eventSource = "io.choria.lifecycle";

/**
 * Write an event as `io.choria.lifecycle.v1.TYPE`.
 * @throws {TypeError} `event is not complete, component has not been set`, or naming a component that is no part of
 * a subject.
 */
export function encodeEvent(event: LifecycleEvent, format: EventFormat = "cloudevent"): Uint8Array {
  checkComponent(event.component);
  const data = plainDocument(event);
  const { id, identity: subject, timestamp } = event;
  const envelope = { id, source: eventSource, type: protocolPrefix + event.type, subject, timestamp, data };
  const document = format === "plain" ? data : cloudEvent(envelope);
  return encodeUtf8(JSON.stringify(document));
}

/**
 * The subject of events, `choria.lifecycle.event.TYPE.COMPONENT`; what is not given stands for any.
 */
export function eventSubject(type: LifecycleEvent["type"] | "*" = "*", component = "*"): string {
  return `choria.lifecycle.event.${type}.${component}`;
}

function checkComponent(component: string): void {
  if (component === "") throw new TypeError("event is not complete, component has not been set");
  if (/[\s.*>]/.test(component)) {
    throw new TypeError(`Cannot publish an event of the component "${component}": it may hold no dots, blanks, * or >`);
  }
}

function plainDocument(event: LifecycleEvent): JsonObject {
  const { type, id, identity, component, timestamp } = event;
  return { protocol: protocolPrefix + type, id, identity, component, timestamp, ...extras(event) };
}

function extras(event: LifecycleEvent): JsonObject {
  switch (event.type) {
    case "startup":
    case "alive":
      return { version: event.version };
    case "shutdown":
    case "provisioned":
      return {};
    case "upgraded":
      return { version: event.version, new_version: event.newVersion };
    case "governor":
      return { governor: event.governor, sequence: event.sequence, event_type: event.action };
  }
}
