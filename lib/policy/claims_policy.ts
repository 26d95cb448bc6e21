import { errorText } from "../std/mod.ts";
import type { ClientClaims } from "../tokens/mod.ts";
import { evaluateActionList } from "./action_list.ts";
import type { PolicyCall } from "./call.ts";
import { allow, type Decision, deny } from "./decision.ts";
import { type PolicyEngine, PolicyError } from "./engine.ts";
import { loadRegoEngine } from "./rego_engine.ts";
import { evaluateRego, type RegoOptions } from "./rego_policy.ts";

/** Agent that anybody may call: finding nodes is not yet doing something to them. */
const openAgent = "discovery";

/** How {@link evaluateClaims} judges. */
export interface ClaimsOptions extends RegoOptions {
  /**
   * Which claim decides: `actionlist` looks at `agents` alone, `opa` at `opa_policy` alone, as the AAA service's
   * authorizers do; `either` takes whichever of the two the token carries, and exactly one, as servers do.
   * @default "either"
   */
  by?: "either" | "actionlist" | "opa";
}

/**
 * Decide about a call from the claims of the caller's token. Without effects, and without exceptions: whatever is
 * wrong with a claim is a refusal that says so.
 *
 * @param claims Claims that have been verified.
 */
export function evaluateClaims(claims: ClientClaims, call: PolicyCall, options: ClaimsOptions): Decision {
  if (call.agent === openAgent) return allow(`everybody may call the agent ${openAgent}`);
  const { agents = [], opa_policy = "" } = claims;
  switch (options.by ?? "either") {
    case "actionlist":
      return evaluateActionList(agents, call.agent, call.action);
    case "opa":
      if (opa_policy === "") return deny("'opa_policy' claim is an empty string, denying request");
      return evaluateRego(opa_policy, call, claims, { ...options, failurePrefix: "OPA policy evaluation failed: " });
    case "either":
      if (agents.length > 0 && opa_policy !== "") return deny("received agent list and rego policy");
      if (agents.length > 0) return evaluateActionList(agents, call.agent, call.action);
      if (opa_policy === "") return deny("no policy received in token");
      return evaluateRego(opa_policy, call, claims, options);
  }
}

/** Decides about calls as {@link evaluateClaims} does, and loads the policy engine only when a policy asks for it. */
export class ClaimsPolicy {
  readonly #options: Omit<ClaimsOptions, "engine">;
  readonly #load: () => Promise<PolicyEngine>;
  #engine: PolicyEngine | undefined;

  /** @param load Gives the engine; that of this project by default. */
  constructor(options: Omit<ClaimsOptions, "engine">, load: () => Promise<PolicyEngine> = loadRegoEngine) {
    this.#options = options;
    this.#load = load;
  }

  /** Decide about a call from verified claims. Never rejects: an engine that cannot be loaded is a refusal. */
  async decide(claims: ClientClaims, call: PolicyCall): Promise<Decision> {
    try {
      if (claims.opa_policy) this.#engine ??= await this.#load();
    } catch (error) {
      return deny(`the policy engine cannot be loaded: ${errorText(error)}`);
    }
    return evaluateClaims(claims, call, { ...this.#options, engine: this.#engine ?? noEngine });
  }
}

const noEngine: PolicyEngine = {
  evaluate() {
    throw new PolicyError("evaluate", "the policy engine is not loaded");
  },
};
