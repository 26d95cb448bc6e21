import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadRegoEngine, type PolicyEngine } from "../policy/mod.ts";
import type { ActionCall, Authorizer, Decision } from "../rpc/mod.ts";
import { errorText, isFile, type JsonObject } from "../std/mod.ts";
import type { PolicyNode } from "./policy_node.ts";

const rule = "data.io.choria.mcorpc.authpolicy.allow";

/** Where {@link regoPolicyAuthorizer} finds what it decides by. */
export interface RegoPolicyOptions {
  /** Folder with `AGENT.rego` and `default.rego`. */
  folder: string;
  node: PolicyNode;
  /** Gives the engine; that of this project by default, loaded at the first call. */
  load?: () => Promise<PolicyEngine>;
}

/** Decides by policies in Rego that lie on the node: one for each agent, and a default. No policy refuses. */
export function regoPolicyAuthorizer(options: RegoPolicyOptions): Authorizer {
  const { folder, node, load = loadRegoEngine } = options;
  let engine: PolicyEngine | undefined;
  return {
    async authorize(call) {
      const file = [`${call.agent}.rego`, "default.rego"].map((name) => join(folder, name)).find(isFile);
      if (file === undefined) return { allowed: false, reason: `no rego policy found for ${call.agent}` };
      engine ??= await load();
      return evaluate(engine, file, await inputOf(call, node));
    },
  };
}

function evaluate(engine: PolicyEngine, file: string, input: JsonObject): Decision {
  try {
    const { value, explanation } = engine.evaluate(readFileSync(file, "utf8"), rule, input, []);
    const how = explanation ? ` (${explanation})` : "";
    if (value === true) return { allowed: true, reason: `allowed by ${file}${how}` };
    return { allowed: false, reason: `the policy ${file} does not allow it${how}` };
  } catch (error) {
    return { allowed: false, reason: `the policy ${file} cannot be evaluated: ${errorText(error)}` };
  }
}

async function inputOf(call: ActionCall, node: PolicyNode): Promise<JsonObject> {
  const { request } = call.message;
  return {
    agent: call.agent,
    action: call.action,
    callerid: request.caller,
    collective: request.collective,
    data: call.data,
    ttl: request.ttl,
    time: Number(request.time / 1_000_000_000n),
    facts: await node.facts(),
    classes: node.classes(),
    agents: node.agents().map(({ name }) => name),
    provision_mode: node.isProvisioning,
  };
}
