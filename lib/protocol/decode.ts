import { decodeBase64 } from "../crypto/mod.ts";
import { decodeUtf8, errorText, isObject, type JsonObject, parseExact } from "../std/mod.ts";
import { ProtocolError } from "./error.ts";

/** Largest document that is looked at: nats-server's own limit of a message, and as much again for base64. */
export const maxDocumentBytes = 8 * 1024 * 1024;

/**
 * Bytes as a JSON object whose `protocol` is the expected one.
 * @throws {ProtocolError} naming the kind of document.
 */
export function decodeDocument(bytes: Uint8Array, protocol: string, what: string): JsonObject {
  return decodeDocumentText(documentText(bytes, what), protocol, what);
}

/** Like {@link decodeDocument}, from text. */
export function decodeDocumentText(text: string, protocol: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProtocolError(`Cannot read the ${what}: ${errorText(error)}`, { cause: error });
  }
  if (!isObject(value)) throw new ProtocolError(`Cannot read the ${what}: expected a JSON object`);
  if (value.protocol !== protocol) {
    const found = typeof value.protocol === "string" ? JSON.stringify(value.protocol.slice(0, 80)) : "none";
    throw new ProtocolError(`Cannot read the ${what}: expected the protocol "${protocol}", found ${found}`);
  }
  return value;
}

/** Bytes as text of a document. */
export function documentText(bytes: Uint8Array, what: string): string {
  if (bytes.length > maxDocumentBytes) throw new ProtocolError(`Cannot read the ${what}: it is longer than 8 MiB`);
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    throw new ProtocolError(`Cannot read the ${what}: it is not UTF-8`, { cause: error });
  }
}

/** A string that must be there and not empty. */
export function requireText(document: JsonObject, key: string, what: string): string {
  const value = document[key];
  if (typeof value !== "string") throw new ProtocolError(`Cannot read the ${what}: /${key}: expected a string`);
  if (value === "") throw new ProtocolError(`Cannot read the ${what}: /${key}: length must be >= 1, but got 0`);
  return value;
}

/** A string that may be missing; empty when it is. */
export function optionalText(document: JsonObject, key: string, what: string): string {
  const value = document[key] ?? "";
  if (typeof value !== "string") throw new ProtocolError(`Cannot read the ${what}: /${key}: expected a string`);
  return value;
}

/** Bytes carried as base64 that must be there and not empty. */
export function requireBytes(document: JsonObject, key: string, what: string): Uint8Array {
  const bytes = decodeBase64(requireText(document, key, what));
  if (bytes === undefined) throw new ProtocolError(`Cannot read the ${what}: /${key}: expected base64`);
  return bytes;
}

/**
 * A top-level whole number of 64 bits with all its digits, which the parsed document has lost beyond 2^53. Undefined
 * when it is missing or larger, or written with a fraction or an exponent.
 */
export function exactInteger(text: string, document: JsonObject, key: string): bigint | undefined {
  const exact = exactDigits(text, document, key);
  return exact !== undefined && BigInt.asIntN(64, exact) === exact ? exact : undefined;
}

function exactDigits(text: string, document: JsonObject, key: string): bigint | undefined {
  const value = document[key];
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  // Where the key is written once, its digits are those of the value. Parsing everything again with all digits
  // costs far more, so it is left to the odd document that says the key twice, or spells it with escapes.
  const found = [...text.matchAll(new RegExp(`"${key}"\\s*:\\s*([^\\s,}\\]]+)`, "g"))];
  const digits = found.length === 1 ? (found[0]?.[1] ?? "") : "";
  if (Number(digits) === value && digits !== "") return /^-?\d+$/.test(digits) ? BigInt(digits) : undefined;
  return exactFromWhole(text, key);
}

function exactFromWhole(text: string, key: string): bigint | undefined {
  let whole: unknown;
  try {
    whole = parseExact(text);
  } catch {
    return undefined;
  }
  const exact = isObject(whole) ? whole[key] : undefined;
  if (typeof exact === "bigint") return exact;
  return typeof exact === "number" && Number.isSafeInteger(exact) ? BigInt(exact) : undefined;
}
