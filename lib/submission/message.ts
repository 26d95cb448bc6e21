import { decodeBase64, encodeBase64 } from "../crypto/mod.ts";
import { isObject, type JsonObject, parseObject } from "../std/mod.ts";
import { formatNanos, nanosOf, parseNanos } from "./_time.ts";

/** What somebody submits. */
export interface NewMessage {
  /** Subject below `<collective>.submission.in.`. */
  subject: string;
  payload: Uint8Array;
  /** Who submits it, for people. */
  sender: string;
  /** Identity of the submitting process. */
  identity: string;
  /**
   * Keep it until a stream has stored it.
   * @default false
   */
  reliable?: boolean;
  /**
   * 0 to 4. Messages of one priority are sent in their order; priorities do not wait for each other.
   * @default 4
   */
  priority?: number;
  /**
   * Seconds after which nobody wants it any more; at most 31 days.
   * @default 604_800, 7 days
   */
  ttl?: number;
  /** @default 500 */
  maxTries?: number;
  /**
   * Let the server sign the payload.
   * @default false
   */
  sign?: boolean;
  /** Further headers. */
  headers?: Readonly<Record<string, string>>;
}

/** A message as the spool holds it. */
export interface SpooledMessage extends Required<Omit<NewMessage, "headers">> {
  id: string;
  headers: Readonly<Record<string, string>>;
  /** Unix nanoseconds. */
  created: bigint;
  /** How often it was tried in vain. */
  tries: number;
  /** Unix nanoseconds before which it is not tried again; 0 for at once. */
  nextTry: bigint;
}

/** A message that cannot be submitted. */
export class SubmissionError extends Error {
  override readonly name = "SubmissionError";
}

const daySeconds = 86_400;
const defaultTtl = 7 * daySeconds;
const maxTtl = 31 * daySeconds;
const defaultTries = 500;
const lowestPriority = 4;

/**
 * Make a message of what is submitted, with a fresh id.
 *
 * @param created Unix nanoseconds.
 */
export function newMessage(fields: NewMessage, created: bigint): SpooledMessage {
  const { reliable = false, priority = lowestPriority, ttl = defaultTtl, sign = false, headers = {} } = fields;
  const { subject, payload, sender, identity, maxTries = defaultTries } = fields;
  const id = crypto.randomUUID();
  const state = { created, tries: 0, nextTry: 0n };
  return { id, subject, payload, reliable, priority, ttl, maxTries, sender, identity, sign, headers, ...state };
}

/**
 * Check a message: before it goes into the spool, and again before it is sent.
 *
 * @param now Milliseconds since the epoch.
 * @throws {SubmissionError} saying what is wrong with it, in the words of the original.
 */
export function checkMessage(message: SpooledMessage, now: number): void {
  const { subject, payload, priority, ttl, sender } = message;
  if (subject === "") throw new SubmissionError("subject is required");
  if (payload.length === 0) throw new SubmissionError("payload is required");
  if (!Number.isInteger(priority) || priority < 0 || priority > lowestPriority) {
    throw new SubmissionError("priority must be 0...4");
  }
  if (!(ttl > 0)) throw new SubmissionError("ttl may not be 0");
  if (ttl > maxTtl) throw new SubmissionError("ttl exceeds maximum 744h0m0s");
  if (sender === "") throw new SubmissionError("sender is required");
  if (isExpired(message, now)) throw new SubmissionError("message has expired");
  checkSubject(subject);
  for (const text of [message.sender, message.identity, message.id]) checkText(text);
  for (const [name, value] of Object.entries(message.headers)) checkHeader(name, value);
}

/** Whether nobody wants the message any more. */
export function isExpired({ created, ttl }: SpooledMessage, now: number): boolean {
  return Number(nanosOf(now) - created) / 1e9 > ttl;
}

/** Messages are published, so neither wildcards nor what would end the line may be in a subject. */
function checkSubject(subject: string): void {
  const isGood = subject.split(".").every((token) => /^[^\s\p{Cc}]+$/u.test(token) && token !== "*" && token !== ">");
  if (!isGood) throw new SubmissionError(`subject "${subject}" is not one that can be published to`);
}

function checkHeader(name: string, value: string): void {
  if (/^(choria|nats)/i.test(name)) throw new SubmissionError("headers may not start with 'choria' or 'nats'");
  if (!/^[!-9;-~]+$/.test(name)) throw new SubmissionError(`header "${name}" has a name that headers cannot have`);
  checkText(value);
}

function checkText(text: string): void {
  if (/[\r\n]/.test(text)) throw new SubmissionError("headers may not hold line ends");
}

/** A message as its document in the spool: JSON, times in RFC 3339, the payload in base64. */
export function encodeMessage(message: SpooledMessage): string {
  const { id, subject, payload, reliable, priority, created, ttl, maxTries, tries, nextTry } = message;
  const { sender, identity, sign, headers } = message;
  return JSON.stringify({
    id,
    subject,
    payload: encodeBase64(payload),
    reliable,
    priority,
    created: formatNanos(created),
    ttl,
    max_tries: maxTries,
    tries,
    next_try: formatNanos(nextTry),
    sender,
    identity,
    sign,
    headers: Object.keys(headers).length === 0 ? null : headers,
  });
}

/**
 * Read a message of the spool.
 * @throws {SubmissionError} naming what is missing or of another form, and {@link SyntaxError} when it is no JSON.
 */
export function decodeMessage(bytes: string | Uint8Array): SpooledMessage {
  const from = parseObject(bytes);
  return {
    id: text(from, "id"),
    subject: text(from, "subject"),
    payload: payloadOf(from.payload),
    reliable: from.reliable === true,
    priority: number(from, "priority"),
    created: time(from, "created"),
    ttl: number(from, "ttl"),
    maxTries: number(from, "max_tries"),
    tries: number(from, "tries"),
    nextTry: time(from, "next_try"),
    sender: text(from, "sender"),
    identity: typeof from.identity === "string" ? from.identity : "",
    sign: from.sign === true,
    headers: headersOf(from.headers),
  };
}

function text(from: JsonObject, key: string): string {
  const value = from[key];
  if (typeof value === "string") return value;
  throw new SubmissionError(`Cannot read the message: ${key} is not a text`);
}

function number(from: JsonObject, key: string): number {
  const value = from[key];
  if (typeof value === "number" && value >= 0) return value;
  throw new SubmissionError(`Cannot read the message: ${key} is not a number`);
}

function time(from: JsonObject, key: string): bigint {
  const value = parseNanos(from[key]);
  if (value !== undefined) return value;
  throw new SubmissionError(`Cannot read the message: ${key} is not a time`);
}

function payloadOf(value: unknown): Uint8Array {
  const bytes = typeof value === "string" ? decodeBase64(value) : undefined;
  if (bytes !== undefined) return bytes;
  throw new SubmissionError("Cannot read the message: payload is not base64");
}

function headersOf(value: unknown): Record<string, string> {
  if (value === null || value === undefined) return {};
  const entries = isObject(value) ? Object.entries(value) : undefined;
  const texts = entries?.flatMap(([name, item]) => (typeof item === "string" ? [[name, item] as const] : []));
  if (texts !== undefined && texts.length === entries?.length) return Object.fromEntries(texts);
  throw new SubmissionError("Cannot read the message: headers are not texts");
}
