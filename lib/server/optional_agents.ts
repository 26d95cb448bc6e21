import type { Agent, RpcAgentOptions } from "../rpc/mod.ts";
import { errorText } from "../std/mod.ts";
import type { ServerNode } from "./node.ts";

/** The agents of Choria's own that a configuration asks for, each loaded only where it does. */
export async function optionalAgents(node: ServerNode, rpc: RpcAgentOptions): Promise<Agent[]> {
  if (node.isProvisioning) return [];
  const agents: Agent[] = [];
  const store = node.config.get("plugin.choria.services.registry.store");
  if (store !== "") agents.push((await import("./agents/registry.ts")).registryAgent(store, rpc));
  if (node.config.get("plugin.choria.executor.enabled")) agents.push(...(await executor(node, rpc)));
  return agents;
}

/** A server whose folder of commands cannot be used serves without them. */
async function executor({ config, clock }: ServerNode, rpc: RpcAgentOptions): Promise<Agent[]> {
  const [{ JobSpool }, { executorAgent }] = await Promise.all([
    import("../executor/mod.ts"),
    import("./agents/executor.ts"),
  ]);
  try {
    return [executorAgent({ ...rpc, clock, jobs: new JobSpool(config.get("plugin.choria.executor.spool")) })];
  } catch (error) {
    rpc.logger.error("Long-running commands are not looked after", { reason: errorText(error) });
    return [];
  }
}
