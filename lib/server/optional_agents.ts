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
  if (hasScout(node)) agents.push(await scout(node, rpc));
  return agents;
}

function hasScout({ config }: ServerNode): boolean {
  return config.get("plugin.choria.machine.store") !== "" && !config.get("plugin.scout.agent_disabled");
}

/** The machines start after the agents, so they are asked for with every call. */
async function scout(node: ServerNode, rpc: RpcAgentOptions): Promise<Agent> {
  const { scoutAgent } = await import("../scout/mod.ts");
  const { config } = node;
  return scoutAgent({
    ...rpc,
    machines: {
      states: () => node.machines?.states() ?? [],
      transition(criteria, event) {
        if (node.machines === undefined) throw new Error("autonomous agent host not initialized");
        node.machines.transition(criteria, event);
      },
    },
    goss: {
      overridesFile: config.get("plugin.scout.overrides"),
      deniedLocal: config.get("plugin.scout.goss.denied_local_resources"),
      deniedRemote: config.get("plugin.scout.goss.denied_remote_resources"),
    },
  });
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
