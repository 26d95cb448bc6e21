/** What JSON can hold, as JavaScript holds it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON object whose values have not been looked at yet. */
export type JsonObject = { [key: string]: unknown };

/** Whether a value is a JSON object: not null, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is an array of strings. */
export function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/**
 * Text or UTF-8 bytes as a JSON object.
 * @throws {SyntaxError} when they are no JSON object; {@link TypeError} when the bytes are not UTF-8.
 */
export function parseObject(text: string | Uint8Array): JsonObject {
  const value: unknown = JSON.parse(typeof text === "string" ? text : utf8.decode(text));
  if (!isObject(value)) throw new SyntaxError("Cannot read the JSON document: expected an object");
  return value;
}

/**
 * Like JSON.parse, but an integer that a double cannot hold exactly arrives as a bigint, so that Go's
 * nanosecond times and 64-bit ids survive.
 *
 * @throws {SyntaxError} when the text is not JSON, or is nested deeper than the stack allows.
 */
export function parseExact(text: string): unknown {
  try {
    return JSON.parse(text, exactNumber);
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    throw new SyntaxError("Cannot read the JSON document: it is nested too deeply", { cause: error });
  }
}

function exactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const lenientUtf8 = new TextDecoder();
const utf8Encoder = new TextEncoder();

/**
 * Bytes as text.
 * @throws {TypeError} when they are not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** The text of bytes from anybody, for people to look at: what is no UTF-8 becomes `\ufffd`. */
export function showUtf8(bytes: Uint8Array): string {
  return lenientUtf8.decode(bytes);
}

/**
 * A JSON document as it was sent, but on one line: line breaks between its parts mean nothing.
 * @throws {TypeError} when the bytes are not UTF-8.
 */
export function jsonLine(document: Uint8Array): string {
  return decodeUtf8(document).replace(/[\r\n]+/g, " ");
}

/** Text as UTF-8 bytes. */
export function encodeUtf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}
