import { formatRfc3339, isObject, type JsonObject } from "../std/mod.ts";

/** What a CloudEvents envelope says. */
export interface CloudEvent {
  readonly id: string;
  readonly source: string;
  /** The protocol of what is inside. */
  readonly type: string;
  /** The node that it comes from. */
  readonly subject: string;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly data: JsonObject;
}

/** A document in a CloudEvents 1.0 envelope. */
export function cloudEvent({ id, source, type, subject, timestamp, data }: CloudEvent): JsonObject {
  return {
    specversion: "1.0",
    id,
    source,
    type,
    subject,
    datacontenttype: "application/json",
    time: formatRfc3339(timestamp * 1_000),
    data,
  };
}

/** What is in a CloudEvents 1.0 envelope of `source`; undefined where it is none. */
export function cloudEventData(document: JsonObject, source: string): JsonObject | undefined {
  const { specversion, data } = document;
  return specversion === "1.0" && document.source === source && isObject(data) ? data : undefined;
}
