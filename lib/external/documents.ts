import { isStatusCode, type Request, type RpcReply, type RpcRequest, statusCodes } from "../protocol/mod.ts";
import { errorText, isObject, type JsonObject } from "../std/mod.ts";

/** What a program is asked for, as `CHORIA_EXTERNAL_PROTOCOL` has it. */
export const externalProtocols = {
  activation: "io.choria.mcorpc.external.v1.activation_request",
  request: "io.choria.mcorpc.external.v1.rpc_request",
} as const;

const schemas = "https://choria.io/schemas/mcorpc/external/v1";

/** The document that asks a program whether its agent is to be active on this node. */
export function encodeActivationRequest(agent: string): string {
  return JSON.stringify({
    $schema: `${schemas}/activation_request.json`,
    protocol: externalProtocols.activation,
    agent,
  });
}

/**
 * Whether an agent wants to be active.
 * @throws {Error} when the reply is no JSON object.
 */
export function decodeActivationReply(text: string): boolean {
  return parse(text).activate === true;
}

/** The document that hands a call to a program. Times are Unix seconds. */
export function encodeExternalRequest(request: Request, { agent, action, data }: RpcRequest): string {
  return JSON.stringify({
    $schema: `${schemas}/rpc_request.json`,
    protocol: externalProtocols.request,
    agent,
    action,
    requestid: request.id,
    senderid: request.sender,
    callerid: request.caller,
    collective: request.collective,
    ttl: request.ttl,
    msgtime: Number(request.time / 1_000_000_000n),
    data,
  });
}

/** What a program replied. */
export interface ExternalReply extends Omit<RpcReply, "data"> {
  /** Null counts as none; undefined where the program left it out, which is a fault. */
  data: unknown;
}

/**
 * Read a program's reply: what it leaves out is status 0 and `OK`.
 *
 * @param action Name of the action, which a program may replace.
 * @throws {Error} `failed to decode reply json: …`.
 */
export function decodeExternalReply(text: string, action: string): ExternalReply {
  const from = parse(text);
  const { statuscode = statusCodes.ok } = from;
  if (!isStatusCode(statuscode)) throw decodeError(`statuscode ${JSON.stringify(statuscode)} is not from 0 to 255`);
  return {
    action: textOf(from, "action", action),
    statuscode,
    statusmsg: textOf(from, "statusmsg", "OK"),
    data: from.data,
  };
}

function textOf(from: JsonObject, key: string, otherwise: string): string {
  const value = from[key] ?? otherwise;
  if (typeof value !== "string") throw decodeError(`${key} is no text`);
  return value;
}

function parse(text: string): JsonObject {
  if (text.trim() === "") throw decodeError("unexpected end of JSON input");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw decodeError(errorText(error));
  }
  if (!isObject(value)) throw decodeError("expected an object");
  return value;
}

function decodeError(reason: string): Error {
  return new Error(`failed to decode reply json: ${reason}`);
}
