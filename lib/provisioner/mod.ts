/**
 * The provisioner: finds nodes that have no identity yet, asks a helper what they are to be, and gives them keys,
 * tokens and configuration.
 *
 * @module
 */
export {
  loadProvisionerConfig,
  type ProvisionerConfig,
  type ProvisionerFeatures,
  parseProvisionerConfig,
} from "./config.ts";
export { Fleet, type FleetOptions, type NodeSource } from "./fleet.ts";
export {
  decodeHelperReply,
  encodeHelperRequest,
  encodeSorted,
  type Helper,
  type HelperReply,
  type HelperRequest,
  type HelperServerClaims,
} from "./helper.ts";
export { moduleHelper } from "./helper_module.ts";
export { type ProcessHelperOptions, processHelper } from "./helper_process.ts";
export { type CounterName, type GaugeName, ProvisionerMetrics } from "./metrics.ts";
export { CallError, type CallFault, type NodeCall, NodeCaller } from "./node_caller.ts";
export { type CallLimits, NodeCalls } from "./node_calls.ts";
export { type ProvisioningTools, provisionNode } from "./node_provisioning.ts";
export { DeferredError, type NodeOutcome, type NodeTurn } from "./node_turn.ts";
export { type Provisioner, type ProvisionerOptions, startProvisioner } from "./provisioner.ts";
export { issueNodeToken, readIssuer, type ServerTokenIssuer, type ServerTokenRequest } from "./server_token.ts";
export { encryptTlsKey } from "./tls_key.ts";
export { isSameVersion } from "./versions.ts";
