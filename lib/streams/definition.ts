import type { DiscardPolicy, RetentionPolicy, StorageType, StreamConfig } from "@nats-io/jetstream";
import { StoreCompression } from "@nats-io/jetstream";
import { duplicateWindow } from "./managed.ts";

/** A stream's configuration as JetStream takes it. */
export type StreamDefinition = Partial<StreamConfig> & Pick<StreamConfig, "name">;

/** What people say about a stream; what they do not mention is left as it is. */
export interface StreamSettings {
  subjects?: readonly string[];
  description?: string;
  storage?: StorageType;
  compression?: "none" | "s2";
  replicas?: number;
  retention?: RetentionPolicy;
  discard?: DiscardPolicy;
  discardPerSubject?: boolean;
  /** Milliseconds; 0 or less for ever. */
  maxAge?: number;
  /** Bytes; -1 for no limit, as of all that follow. */
  maxBytes?: number;
  maxConsumers?: number;
  maxMessageSize?: number;
  maxMessages?: number;
  maxMessagesPerSubject?: number;
  firstSequence?: number;
  /** Milliseconds. */
  duplicateWindow?: number;
  acknowledge?: boolean;
  allowRollup?: boolean;
  denyDelete?: boolean;
  denyPurge?: boolean;
  allowDirect?: boolean;
  mirrorDirect?: boolean;
  allowMessageTtl?: boolean;
  allowBatch?: boolean;
  allowFastBatch?: boolean;
  allowCounter?: boolean;
  allowSchedules?: boolean;
  /** Milliseconds. */
  deleteMarkersTtl?: number;
  /** Stream that this one is a copy of. */
  mirror?: string;
  /** Streams that are merged into this one. */
  sources?: readonly string[];
  cluster?: string;
  tags?: readonly string[];
  metadata?: Readonly<Record<string, string>>;
  transform?: { source: string; destination: string };
  republish?: { source: string; destination: string; headersOnly: boolean };
}

/** Settings that people spell out in bytes, counts or flags, and the keys of the document that hold them. */
const plainKeys = {
  description: "description",
  storage: "storage",
  replicas: "num_replicas",
  retention: "retention",
  discard: "discard",
  discardPerSubject: "discard_new_per_subject",
  maxBytes: "max_bytes",
  maxConsumers: "max_consumers",
  maxMessageSize: "max_msg_size",
  maxMessages: "max_msgs",
  maxMessagesPerSubject: "max_msgs_per_subject",
  firstSequence: "first_seq",
  allowRollup: "allow_rollup_hdrs",
  denyDelete: "deny_delete",
  denyPurge: "deny_purge",
  allowDirect: "allow_direct",
  mirrorDirect: "mirror_direct",
  allowMessageTtl: "allow_msg_ttl",
  allowBatch: "allow_atomic",
  allowFastBatch: "allow_batched",
  allowCounter: "allow_msg_counter",
  allowSchedules: "allow_msg_schedules",
} as const;

const nanosPerMs = 1_000_000;

/** The part of a stream's configuration that settings speak of. */
export function settingsDocument(settings: StreamSettings): Partial<StreamConfig> {
  const { maxAge, duplicateWindow: window, acknowledge, deleteMarkersTtl, subjects, compression, metadata } = settings;
  const plain = Object.entries(plainKeys).flatMap(([name, key]) => {
    const value = settings[name as keyof typeof plainKeys];
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    ...(Object.fromEntries(plain) as Partial<StreamConfig>),
    ...(subjects === undefined ? {} : { subjects: [...subjects] }),
    ...(maxAge === undefined ? {} : { max_age: Math.max(0, maxAge) * nanosPerMs }),
    ...(window === undefined ? {} : { duplicate_window: window * nanosPerMs }),
    ...(acknowledge === undefined ? {} : { no_ack: !acknowledge }),
    ...(deleteMarkersTtl === undefined ? {} : { subject_delete_marker_ttl: deleteMarkersTtl * nanosPerMs }),
    ...(compression === undefined
      ? {}
      : { compression: compression === "s2" ? StoreCompression.S2 : StoreCompression.None }),
    ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
    ...placementOf(settings),
    ...originsOf(settings),
    ...routesOf(settings),
  };
}

function placementOf({ cluster, tags = [] }: StreamSettings): Partial<StreamConfig> {
  if (cluster === undefined && tags.length === 0) return {};
  return { placement: { cluster: cluster ?? "", tags: [...tags] } };
}

function originsOf({ mirror, sources = [] }: StreamSettings): Partial<StreamConfig> {
  return {
    ...(mirror === undefined ? {} : { mirror: { name: mirror } }),
    ...(sources.length === 0 ? {} : { sources: sources.map((name) => ({ name })) }),
  };
}

function routesOf({ transform, republish }: StreamSettings): Partial<StreamConfig> {
  return {
    ...(transform === undefined ? {} : { subject_transform: { src: transform.source, dest: transform.destination } }),
    ...(republish === undefined
      ? {}
      : {
          republish: { src: republish.source, dest: republish.destination, headers_only: republish.headersOnly },
        }),
  };
}

/** Two minutes, or as long as messages live where that is shorter; in milliseconds. */
export function defaultDuplicateWindow(maxAge = 0): number {
  return duplicateWindow(Math.max(0, maxAge)) / nanosPerMs;
}

/**
 * A new stream: settings over a base, and over what everybody means who says nothing.
 *
 * @param base A configuration from a file, or of a stream that is copied.
 */
export function newStream(name: string, settings: StreamSettings, base: Partial<StreamConfig> = {}): StreamDefinition {
  const said = { ...base, ...settingsDocument(settings) };
  const hasOrigin = said.mirror !== undefined;
  return {
    retention: "limits",
    storage: "file",
    discard: "old",
    num_replicas: 1,
    max_consumers: -1,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_bytes: -1,
    max_msg_size: -1,
    max_age: 0,
    allow_direct: true,
    ...(hasOrigin ? {} : { duplicate_window: duplicateWindow((said.max_age ?? 0) / nanosPerMs) }),
    ...said,
    name,
  };
}

/** Whether a text can be the name of a stream or of a consumer. */
export function isStreamName(text: string): boolean {
  return /^[^.*>/\\\s]+$/.test(text);
}

/**
 * What is wrong with a stream before a broker is asked; empty where nothing is.
 */
export function checkStream({ name, subjects = [], mirror, sources, ...rest }: StreamDefinition): string[] {
  const problems: string[] = [];
  if (!isStreamName(name)) {
    problems.push(`"${name}" is no name for a stream: it may hold no spaces, dots, *, >, / or \\`);
  }
  if (subjects.length === 0 && mirror === undefined && (sources ?? []).length === 0) {
    problems.push("a stream needs subjects, a mirror or sources");
  }
  if (mirror !== undefined && subjects.length > 0) problems.push("a mirror has no subjects of its own");
  for (const subject of subjects) if (!isSubject(subject)) problems.push(`"${subject}" is no subject`);
  const { num_replicas: replicas = 1, max_age: age = 0, duplicate_window: window = 0 } = rest;
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 5) problems.push("a stream has 1 to 5 replicas");
  if (age > 0 && window > age) problems.push("duplicates cannot be remembered for longer than messages live");
  if (rest.discard_new_per_subject && rest.discard !== "new") {
    problems.push("new messages can be discarded per subject only where new messages are discarded");
  }
  return problems;
}

function isSubject(subject: string): boolean {
  const tokens = subject.split(".");
  return (
    !/\s/.test(subject) &&
    tokens.every((token, i) => {
      if (token === "") return false;
      return token !== ">" || i === tokens.length - 1;
    })
  );
}

/** A key whose value changes, with both values as JSON; undefined where there is none. */
export interface Difference {
  key: string;
  before: string | undefined;
  after: string | undefined;
}

/** In what two documents differ, key by key. */
export function differences(before: object, after: object): Difference[] {
  const [old, next] = [Object.entries(before), Object.entries(after)].map(
    (entries) => new Map(entries.map(([key, value]) => [key, JSON.stringify(value)])),
  );
  const keys = new Set([...(old?.keys() ?? []), ...(next?.keys() ?? [])]);
  return [...keys]
    .map((key) => ({ key, before: old?.get(key), after: next?.get(key) }))
    .filter((one) => one.before !== one.after);
}
