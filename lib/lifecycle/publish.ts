import type { Connection } from "../connector/mod.ts";
import { type EventFormat, encodeEvent, eventSubject } from "./encode.ts";
import type { LifecycleEvent } from "./event.ts";

/**
 * Send an event to whoever listens; nobody confirms it. Flush the connection where it must have left.
 *
 * @param format `cloudevent` for servers; governors and the provisioner send theirs `plain`.
 * @throws {TypeError} when the component is missing or no part of a subject.
 */
export function publishEvent(
  connection: Pick<Connection, "publish">,
  event: LifecycleEvent,
  format: EventFormat = "cloudevent",
): void {
  connection.publish(eventSubject(event.type, event.component), encodeEvent(event, format));
}
