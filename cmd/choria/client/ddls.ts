import { join } from "node:path";
import type { Config } from "../../../lib/config/mod.ts";
import { type AgentDdl, builtinDdls, builtinResolver, folderAgents, folderResolver } from "../../../lib/ddl/mod.ts";

/** DDLs that are on this machine: built in, in the configured folders, or fetched from the registry before. */
export interface LocalDdls {
  /** Names of all of them, sorted. */
  names(): string[];
  /** One of them. */
  find(agent: string): Promise<AgentDdl | undefined>;
}

/** The DDLs that can be had without the network. */
export function localDdls(config: Config): LocalDdls {
  const cache = config.get("plugin.choria.services.registry.cache");
  const folders = [
    ...config.get("libdir"),
    ...config.get("plugin.choria.agent_provider.mcorpc.libdir"),
    ...(cache === "" ? [] : [join(cache, "agent")]),
  ];
  const resolver = folderResolver(folders);
  const builtin = builtinDdls.map(({ metadata }) => metadata.name);
  return {
    names: () => [...new Set([...builtin, ...folderAgents(folders)])].sort(),
    find: async (agent) => (await builtinResolver.resolve(agent)) ?? (await resolver.resolve(agent)),
  };
}
