import type { JsonObject } from "../std/mod.ts";
import type { ClientClaims } from "../tokens/mod.ts";
import type { PolicyCall } from "./call.ts";

const nanosPerSecond = 1_000_000_000n;

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
    time: formatNanos(call.time),
    site,
    claims,
  };
}

/** RFC 3339 in UTC with as many digits of the second as are not zero. */
function formatNanos(nanos: bigint): string {
  const seconds = new Date(Number(nanos / nanosPerSecond) * 1_000).toISOString().slice(0, 19);
  const fraction = (nanos % nanosPerSecond).toString().padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}
