import { aaaSigner } from "./builtin/aaa_signer.ts";
import { choriaProvision } from "./builtin/choria_provision.ts";
import { choriaRegistry } from "./builtin/choria_registry.ts";
import { choriaUtil } from "./builtin/choria_util.ts";
import { executor } from "./builtin/executor.ts";
import { rpcutil } from "./builtin/rpcutil.ts";
import { scout } from "./builtin/scout.ts";
import type { AgentDdl } from "./ddl.ts";

/** DDLs of the agents that Choria itself brings, by name. */
export const builtinDdls: readonly AgentDdl[] = [
  aaaSigner,
  choriaProvision,
  choriaRegistry,
  choriaUtil,
  executor,
  rpcutil,
  scout,
];

/** The DDL of an agent that Choria itself brings. */
export function builtinDdl(agent: string): AgentDdl | undefined {
  return builtinDdls.find(({ metadata }) => metadata.name === agent);
}
