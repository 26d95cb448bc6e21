/**
 * Lifecycle events: what nodes tell others of their coming and going, in Choria's own format and in CloudEvents
 * envelopes.
 *
 * @module
 */
export { type CloudEvent, cloudEvent, cloudEventData } from "./cloudevent.ts";
export { decodeEvent, LifecycleError } from "./decode.ts";
export { type EventFormat, encodeEvent, eventSubject } from "./encode.ts";
export {
  describeEvent,
  type EventType,
  eventTypes,
  type GovernorEvent,
  type LifecycleEvent,
  type NewEvent,
  newEvent,
  type PlainEvent,
  type UpgradedEvent,
  type VersionEvent,
} from "./event.ts";
export { publishEvent } from "./publish.ts";
