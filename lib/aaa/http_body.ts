import { errorText, isObject, type JsonObject } from "../std/mod.ts";
import { HttpError } from "./http_error.ts";

/** Largest body that is read, in bytes: a request of the largest NATS message in base64, a long token, and room. */
export const maxBodyBytes = 4 * 1024 * 1024;

const mediaType = "application/json";
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Read the JSON object in the body of a request; null stands for an empty one.
 *
 * @throws {HttpError} 413, 415, 422 or 400, in the words by which clients of the original know them.
 */
export async function readBody(request: Request): Promise<JsonObject> {
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > maxBodyBytes) throw tooLong();
  const bytes = await receive(request);
  if (bytes.length === 0) throw new HttpError(422, "request in body is required", { code: 602 });
  if (bytes.length > maxBodyBytes) throw tooLong();
  checkMediaType(request.headers.get("content-type"));
  return parse(bytes);
}

/**
 * A field of a body; empty when it is missing or null.
 * @throws {HttpError} 400 when it is no text.
 */
export function textField(body: JsonObject, name: string): string {
  const value = Object.hasOwn(body, name) ? (body[name] ?? "") : "";
  if (typeof value === "string") return value;
  throw badBody(`the field ${name} must be a string`);
}

/** The error of a body that cannot be used. */
export function badBody(reason: string): HttpError {
  return new HttpError(400, `parsing request body from "" failed, because ${reason}`);
}

async function receive(request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (error) {
    throw badBody(`it did not arrive in full: ${errorText(error)}`);
  }
}

function checkMediaType(header: string | null): void {
  const type = (header ?? "").split(";")[0]?.trim().toLowerCase() || "application/octet-stream";
  if (type === mediaType) return;
  throw new HttpError(415, `unsupported media type "${type}", only [${mediaType}] are allowed`);
}

function parse(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw badBody("it is not JSON");
  }
  if (value === null) return {};
  if (isObject(value)) return value;
  throw badBody("it is not a JSON object");
}

function tooLong(): HttpError {
  return new HttpError(413, `request body is longer than ${maxBodyBytes} bytes`);
}
