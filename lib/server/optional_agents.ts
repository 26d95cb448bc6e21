import type { Agent, RpcAgentOptions } from "../rpc/mod.ts";
import type { ServerNode } from "./node.ts";

/** The agents of Choria's own that a configuration asks for, each loaded only where it does. */
export async function optionalAgents(node: ServerNode, rpc: RpcAgentOptions): Promise<Agent[]> {
  if (node.isProvisioning) return [];
  const agents: Agent[] = [];
  const store = node.config.get("plugin.choria.services.registry.store");
  if (store !== "") agents.push((await import("./agents/registry.ts")).registryAgent(store, rpc));
  return agents;
}
