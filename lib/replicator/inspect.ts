import type { MsgHdrs } from "@nats-io/nats-core";
import { lookup } from "../expr/mod.ts";
import { decodeUtf8, parseExact } from "../std/mod.ts";
import type { EntrySettings } from "./config.ts";

/** What the limiter looks at. */
export interface InspectedMessage {
  subject: string;
  data: Uint8Array;
  headers: MsgHdrs | undefined;
}

/** What it found. */
export interface Inspection {
  /** The value by which messages are limited; empty where there is none. */
  value: string;
  /** The force field is there, whatever it holds. */
  isForced: boolean;
}

/** Longer values are taken for none: they go into subjects, files and other replicators' memory. In characters. */
const maxValue = 1_024;

/**
 * Find the value by which a message is limited, in its body, a header or its subject. Bodies that are no JSON, and
 * values that are null or missing, give none.
 */
export function inspect(
  message: InspectedMessage,
  entry: Pick<EntrySettings, "inspectField" | "inspectForceField" | "inspectHeader" | "inspectSubjectToken">,
): Inspection {
  const { inspectField, inspectForceField, inspectHeader, inspectSubjectToken } = entry;
  const needsBody = inspectField !== "" || inspectForceField !== "";
  const text = needsBody ? textOf(message.data) : "";
  const body = text === "" ? undefined : parse(text, JSON.parse);
  const isForced = inspectForceField !== "" && find(body, inspectForceField) !== undefined;
  let value = "";
  if (inspectField !== "") value = fieldValue(body, inspectField, text);
  else if (inspectHeader !== "") value = message.headers?.get(inspectHeader) ?? "";
  else if (inspectSubjectToken === -1) value = message.subject;
  else if (inspectSubjectToken > 0) value = message.subject.split(".")[inspectSubjectToken - 1] ?? "";
  return { value: value.length > maxValue ? "" : value, isForced };
}

function textOf(data: Uint8Array): string {
  try {
    return decodeUtf8(data);
  } catch {
    return "";
  }
}

function parse(text: string, parser: (text: string) => unknown): unknown {
  try {
    return parser(text);
  } catch {
    return undefined;
  }
}

/** Paths of the configuration may be costly on bodies that strangers make. */
function find(body: unknown, path: string): unknown {
  if (body === undefined) return undefined;
  try {
    return lookup(body, path);
  } catch {
    return undefined;
  }
}

function fieldValue(body: unknown, path: string, text: string): string {
  const found = find(body, path);
  // Reading every number exactly costs several times as much as the few that need it.
  const isInexact = typeof found === "number" && !Number.isSafeInteger(found);
  return valueText(isInexact ? find(parse(text, parseExact), path) : found);
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "object") return jsonText(value);
  return String(value);
}

/** What strangers nest deeper than any stack counts as no value. */
function jsonText(value: object): string {
  try {
    return JSON.stringify(value, exact) ?? "";
  } catch {
    return "";
  }
}

function exact(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
