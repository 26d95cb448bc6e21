/**
 * How a server comes by its identity: whether it is to be provisioned, the agent through which that happens, and the
 * restarts in between.
 *
 * @module
 */
export type { ProvisionAgentOptions } from "./_state.ts";
export { provisionAgent } from "./agent.ts";
export { credentialFault } from "./credential_fault.ts";
export { type DecideOptions, decideMode, provisioningConfig, type ServerMode } from "./decision.ts";
export { type ExamineOptions, examineNode, reasonToReprovision, type Verdict } from "./examine.ts";
export type { NodeControl } from "./node_control.ts";
export { diskFiles, memoryFiles, type NodeFiles } from "./node_files.ts";
export {
  decodeProvisioningToken,
  findProvisioningToken,
  type ProvisioningSettings,
  provisioningBrokers,
  readProvisioningToken,
} from "./settings.ts";
export {
  type RunningServer,
  type ServerControl,
  type ServerSupervisor,
  type SupervisorOptions,
  superviseServer,
} from "./supervisor.ts";
