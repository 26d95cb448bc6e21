import { decodeRpcReply, type Reply, type RpcReply, statusCodes } from "../protocol/mod.ts";
import { errorText } from "../std/mod.ts";

/** A node's answer to a request, verified. */
export interface FleetReply {
  /** Identity of the node. */
  sender: string;
  action: string;
  /** Whether the action ended well: status code 0. */
  ok: boolean;
  statuscode: number;
  statusmsg: string;
  /** Outputs of the action, usually an object. */
  data: unknown;
  /** When the node answered, Unix nanoseconds. */
  time: bigint;
  /** The reply document that carried it. */
  document: Reply;
}

/** Take the answer out of a reply. A payload that cannot be read counts as a failure of the node. */
export function fleetReply(document: Reply): FleetReply {
  const rpc = read(document.message);
  return { sender: document.sender, ok: rpc.statuscode === statusCodes.ok, ...rpc, time: document.time, document };
}

function read(message: Uint8Array): RpcReply {
  try {
    return decodeRpcReply(message);
  } catch (error) {
    return { action: "", statuscode: statusCodes.unknownError, statusmsg: errorText(error), data: {} };
  }
}
