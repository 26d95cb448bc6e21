import { encodeUtf8, isObject, type JsonObject } from "../std/mod.ts";
import { isTooDeep, mostLevels } from "./_nesting.ts";
import { documentText } from "./decode.ts";
import { ProtocolError } from "./error.ts";

/** How an action ended. */
export const statusCodes = {
  ok: 0,
  aborted: 1,
  unknownAction: 2,
  missingData: 3,
  invalidData: 4,
  unknownError: 5,
} as const;

/** One of the {@link statusCodes}. */
export type StatusCode = (typeof statusCodes)[keyof typeof statusCodes];

/** Payload of a request to an RPC agent. */
export interface RpcRequest {
  agent: string;
  action: string;
  /** Inputs of the action. */
  data: JsonObject;
}

/** Payload of an RPC agent's reply. */
export interface RpcReply {
  action: string;
  /** One of the {@link statusCodes}, or, from agents that have codes of their own, another up to 255. */
  statuscode: number;
  statusmsg: string;
  /** Outputs of the action: an object, unless the agent says otherwise. */
  data: unknown;
}

/** Write the payload of a request. */
export function encodeRpcRequest(request: RpcRequest): Uint8Array {
  return encodeUtf8(JSON.stringify({ agent: request.agent, action: request.action, data: request.data }));
}

/**
 * Read the payload of a request; missing inputs are none.
 * @throws {ProtocolError} saying what is wrong with it.
 */
export function decodeRpcRequest(bytes: Uint8Array): RpcRequest {
  const value = parse(bytes, "RPC request");
  const { agent, action } = value;
  if (typeof agent !== "string" || typeof action !== "string") {
    throw new ProtocolError("Cannot read the RPC request: expected the names of an agent and an action");
  }
  const data = value.data ?? {};
  if (!isObject(data)) throw new ProtocolError("Cannot read the RPC request: /data: expected an object");
  return { agent, action, data };
}

/** Write the payload of a reply. */
export function encodeRpcReply(reply: RpcReply): Uint8Array {
  const { action, statuscode, statusmsg, data } = reply;
  return encodeUtf8(JSON.stringify({ action, statuscode, statusmsg, data }));
}

/**
 * Read the payload of a reply.
 * @throws {ProtocolError} saying what is wrong with it.
 */
export function decodeRpcReply(bytes: Uint8Array): RpcReply {
  const value = parse(bytes, "RPC reply");
  const { action = "", statuscode, statusmsg = "" } = value;
  if (typeof action !== "string" || typeof statusmsg !== "string" || !isStatusCode(statuscode)) {
    throw new ProtocolError("Cannot read the RPC reply: expected an action, a status code and a status message");
  }
  return { action, statuscode, statusmsg, data: value.data ?? {} };
}

/** Whether a value can be the status code of a reply: a whole number from 0 to 255. */
export function isStatusCode(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;
}

function parse(bytes: Uint8Array, what: string): JsonObject {
  const text = documentText(bytes, what);
  if (isTooDeep(text)) throw new ProtocolError(`Cannot read the ${what}: it nests more than ${mostLevels} levels deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProtocolError(`Cannot read the ${what}: it is not JSON`, { cause: error });
  }
  if (!isObject(value)) throw new ProtocolError(`Cannot read the ${what}: expected a JSON object`);
  return value;
}
