import { type Decision, evaluateClaims, type PolicyEngine, policyCall } from "../policy/mod.ts";
import type { Request } from "../protocol/mod.ts";
import { errorText } from "../std/mod.ts";
import type { ClientClaims } from "../tokens/mod.ts";
import { decodeCall, type SignedCall } from "./call.ts";
import type { AuthorizerName } from "./config.ts";
import type { AaaMetrics } from "./metrics.ts";

/** What {@link RequestAuthorizer} judges with. */
export interface AuthorizerOptions {
  name: AuthorizerName;
  site: string;
  engine: PolicyEngine;
  metrics: AaaMetrics;
}

/** Agent that anybody may call; its messages are no RPC messages. */
const discoveryAgent = "discovery";

/** Decides whether a caller's request is signed, from the caller's claims. */
export class RequestAuthorizer {
  readonly #options: AuthorizerOptions;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Decide about a request. Whatever cannot be judged is refused; nothing is thrown. */
  authorize(request: Request, claims: ClientClaims): Decision {
    const { metrics } = this.#options;
    if (request.agent === discoveryAgent) {
      metrics.authorized(true, discoveryAgent);
      return { allowed: true, reason: `everybody may call the agent ${discoveryAgent}` };
    }
    let label = request.agent;
    try {
      const call = readCall(request);
      label = `${call.agent}.${call.action}`;
      const decision = this.#judge(request, call, claims);
      metrics.authorized(decision.allowed, label);
      return decision;
    } catch (error) {
      metrics.authorizerError();
      metrics.authorized(false, label);
      return { allowed: false, reason: errorText(error) };
    }
  }

  #judge(request: Request, call: SignedCall, claims: ClientClaims): Decision {
    const { name, site, engine } = this.#options;
    if (name === "opa" && call.data === undefined) throw new Error("the message holds no data");
    const rpc = { ...call, data: call.data ?? {} };
    return evaluateClaims(claims, policyCall(request, rpc), { site, engine, by: name });
  }
}

function readCall(request: Request): SignedCall {
  const call = decodeCall(request.message);
  if (call === undefined) throw new Error("the message is not an RPC request");
  // Servers hand a request to the agent of the envelope, so judging another one would be judging nothing.
  if (call.agent !== request.agent) {
    throw new Error(`the request is for the agent ${request.agent} and its message for the agent ${call.agent}`);
  }
  return call;
}
