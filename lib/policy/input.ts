import { formatRfc3339Nanos, type JsonObject } from "../std/mod.ts";
import type { ClientClaims } from "../tokens/mod.ts";
import type { PolicyCall } from "./call.ts";

/**
 * The `input` document of a policy.
 *
 * @param site Where the policy is evaluated: `server` on servers, the configured site in the AAA service.
 */
export function policyInput(call: PolicyCall, claims: ClientClaims, site: string): JsonObject {
  return {
    agent: call.agent,
    action: call.action,
    data: call.data,
    sender: call.sender,
    collective: call.collective,
    ttl: call.ttl,
    time: formatRfc3339Nanos(call.time),
    site,
    claims,
  };
}
