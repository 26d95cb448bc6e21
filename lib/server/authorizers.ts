import { dirname, join } from "node:path";
import type { Config } from "../config/mod.ts";
import { ClaimsPolicy, policyCall } from "../policy/mod.ts";
import type { Authorizer } from "../rpc/mod.ts";
import type { Logger } from "../std/mod.ts";
import { actionPolicyAuthorizer } from "./action_policy.ts";
import type { PolicyNode } from "./policy_node.ts";
import { regoPolicyAuthorizer } from "./rego_policy.ts";

/** Lets everybody do everything: what a server does with `rpcauthorization = 0`. */
export const allowAll: Authorizer = { authorize: () => ({ allowed: true, reason: "nothing is authorized here" }) };

/**
 * The authorizer that a configuration asks for: `rpcauthprovider` is `aaasvc`, `action_policy` or `rego_policy`.
 * Any other name refuses every call.
 */
export function configuredAuthorizer(config: Config, node: PolicyNode, logger: Logger): Authorizer {
  if (!config.get("rpcauthorization")) return allowAll;
  const folder = join(dirname(config.file), "policies");
  const provider = config.get("rpcauthprovider").toLowerCase();
  switch (provider) {
    case "aaasvc":
    case "aaasvc_policy":
      return claimsAuthorizer();
    case "action_policy":
      return actionPolicyAuthorizer({ folder, config, node, logger });
    case "rego_policy":
      return regoPolicyAuthorizer({ folder: join(folder, "rego"), node });
    default:
      logger.error(`Unsupported authorization provider: ${provider}`);
      return { authorize: () => ({ allowed: false, reason: `the authorization provider ${provider} is not known` }) };
  }
}

/** Decides by the policy in the caller's token. */
export function claimsAuthorizer(policy: ClaimsPolicy = new ClaimsPolicy({ site: "server" })): Authorizer {
  return {
    authorize(call) {
      const { caller, request } = call.message;
      if (caller === undefined) return { allowed: false, reason: "no policy received in request" };
      return policy.decide(caller, policyCall(request, call));
    },
  };
}
