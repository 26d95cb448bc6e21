import type { Filter, Request } from "../protocol/mod.ts";
import type { JsonObject } from "../std/mod.ts";

/**
 * A call as policies see it. Agent, action and data come from the RPC message; everything else comes from the
 * envelope around it, which the caller cannot fill with two different stories.
 */
export interface PolicyCall {
  agent: string;
  action: string;
  data: JsonObject;
  /** Identity of the sending process. */
  sender: string;
  collective: string;
  /** Seconds. */
  ttl: number;
  /** Unix time in nanoseconds. */
  time: bigint;
  /** Which nodes the request is meant for. */
  filter: Filter;
}

/** The call that a request makes with an RPC message. */
export function policyCall(
  request: Pick<Request, "sender" | "collective" | "ttl" | "time" | "filter">,
  rpc: Pick<PolicyCall, "agent" | "action" | "data">,
): PolicyCall {
  const { sender, collective, ttl, time, filter } = request;
  return { agent: rpc.agent, action: rpc.action, data: rpc.data, sender, collective, ttl, time, filter };
}
