import { encodeBase64 } from "../crypto/mod.ts";
import { encodeUtf8, newKsuid } from "../std/mod.ts";
import { decodeDocumentText, documentText, exactInteger, requireBytes, requireText } from "./decode.ts";
import { ProtocolError } from "./error.ts";
import { decodeFilter, decodePartialFilter, type Filter } from "./filter.ts";

const protocol = "io.choria.protocol.v2.request";
const what = "request";

/** What somebody asks of an agent: the innermost signed document. */
export interface Request {
  /** The agent's payload, usually JSON. */
  message: Uint8Array;
  /** Request id, a KSUID where Choria's own clients made it. */
  id: string;
  /** Identity of the sending process. */
  sender: string;
  /** Caller id, for example `up=choria`. */
  caller: string;
  collective: string;
  agent: string;
  /** Seconds before and after `time` in which the request is valid. */
  ttl: number;
  /** Unix time in nanoseconds. */
  time: bigint;
  filter: Filter;
}

/** Make a request of now, with a fresh id. */
export function newRequest(fields: Omit<Request, "id" | "time"> & { id?: string }, now: number = Date.now()): Request {
  return {
    ...fields,
    id: fields.id ?? newKsuid(Math.floor(now / 1_000)),
    time: BigInt(Math.floor(now * 1e3)) * 1_000n,
  };
}

/**
 * Write a request as `io.choria.protocol.v2.request`. The bytes are what gets signed.
 * @throws {ProtocolError} when a field that must not be empty is.
 */
export function encodeRequest(request: Request): Uint8Array {
  for (const key of ["id", "sender", "caller", "collective", "agent"] as const) {
    if (request[key] === "")
      throw new ProtocolError(`Cannot write the request: /${key}: length must be >= 1, but got 0`);
  }
  if (request.message.length === 0) throw new ProtocolError("Cannot write the request: its message is empty");
  const { fact, cf_class, agent, identity, compound } = request.filter;
  const head = JSON.stringify({
    protocol,
    message: encodeBase64(request.message),
    id: request.id,
    sender: request.sender,
    caller: request.caller,
    collective: request.collective,
    agent: request.agent,
    ttl: request.ttl,
  });
  // The time has more digits than a double holds, so it is written by hand.
  const filter = JSON.stringify({ fact, cf_class, agent, identity, compound });
  return encodeUtf8(`${head.slice(0, -1)},"time":${request.time},"filter":${filter}}`);
}

/** How {@link decodeRequest} reads. */
export interface RequestOptions {
  /**
   * Take a missing filter, and missing kinds of one, for empty ones, as those do who write the request anew.
   * @default false
   */
  fillFilter?: boolean;
}

/**
 * Read a request.
 * @throws {ProtocolError} naming the field that is missing or of another form.
 */
export function decodeRequest(bytes: Uint8Array, options: RequestOptions = {}): Request {
  const text = documentText(bytes, what);
  const document = decodeDocumentText(text, protocol, what);
  return {
    message: requireBytes(document, "message", what),
    id: requireText(document, "id", what),
    sender: requireText(document, "sender", what),
    caller: requireText(document, "caller", what),
    collective: requireText(document, "collective", what),
    agent: requireText(document, "agent", what),
    ttl: decodeTtl(document.ttl),
    time: checkTime(exactInteger(text, document, "time")),
    filter: options.fillFilter ? decodePartialFilter(document.filter) : decodeFilter(document.filter),
  };
}

/** Whether `now` (milliseconds since the epoch) lies strictly within the request's validity on either side. */
export function isTimely(request: Pick<Request, "time" | "ttl">, now: number): boolean {
  const age = Math.abs(now - Number(request.time) / 1e6);
  return age < request.ttl * 1_000;
}

function decodeTtl(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new ProtocolError("Cannot read the request: /ttl: expected a whole number of seconds, at least 1");
}

function checkTime(time: bigint | undefined): bigint {
  if (time !== undefined && time >= 1n) return time;
  throw new ProtocolError("Cannot read the request: /time: expected whole nanoseconds, at least 1");
}
