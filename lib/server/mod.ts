/**
 * The server role: the daemon on every node of a fleet.
 *
 * @module
 */
export { choriaUtilAgent } from "./agents/choria_util.ts";
export { discoveryAgent } from "./agents/discovery.ts";
export { rpcutilAgent } from "./agents/rpcutil.ts";
export { Announcer, type AnnouncerOptions } from "./announcer.ts";
export { allowAll, claimsAuthorizer, configuredAuthorizer } from "./authorizers.ts";
export type { ServerNode } from "./node.ts";
export {
  decodeProvisioningToken,
  memoryFiles,
  type NodeControl,
  type NodeFiles,
  type ProvisioningSettings,
  provisionAgent,
  provisioningBrokers,
  provisioningConfig,
} from "./provisioning/mod.ts";
export { type RunServerOptions, runServer } from "./run.ts";
export { type AgentKit, type ServerHandle, type ServerOptions, startServer } from "./server.ts";
export { statusDocument } from "./status.ts";
