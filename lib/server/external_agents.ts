import type { AgentHost, RpcAgentOptions } from "../rpc/mod.ts";
import type { Logger } from "../std/mod.ts";
import type { ServerNode } from "./node.ts";

/** What {@link startExternalAgents} works with. */
export interface ExternalAgentsParts {
  host: AgentHost;
  /** What stands before the actions of every agent of this server. */
  rpc: RpcAgentOptions;
  logger: Logger;
}

/**
 * Host the agents that stand in the folders of `plugin.choria.agent_provider.mcorpc.libdir`, in the background.
 *
 * A node that is being provisioned believes anybody, so it lets nobody run its programs.
 *
 * @returns undefined where there are no folders or no agents to be.
 */
export async function startExternalAgents(
  node: ServerNode,
  { host, rpc, logger }: ExternalAgentsParts,
): Promise<{ look(): void; stop(): Promise<void> } | undefined> {
  const folders = node.config.get("plugin.choria.agent_provider.mcorpc.libdir");
  if (folders.length === 0 || node.isProvisioning) return undefined;
  const { ExternalAgents } = await import("../external/mod.ts");
  return new ExternalAgents({
    host,
    folders,
    rpc,
    facts: () => node.facts(),
    configFile: node.config.file,
    clock: node.clock,
    logger,
  });
}
