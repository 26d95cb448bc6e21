/**
 * Agents on the answering side: what an agent is, what stands between a request and its action, and the host that
 * takes messages off the network for them.
 *
 * @module
 */
export type { Agent, AgentMessage, AgentMetadata } from "./agent.ts";
export { auditLine, type FileAuditorOptions, fileAuditor } from "./audit.ts";
export type { ActionCall, Authorizer, CallAuditor, Decision } from "./authorizer.ts";
export { AgentHost, type AgentHostOptions } from "./host.ts";
export { type HostStats, newHostStats } from "./host_stats.ts";
export {
  type Action,
  type ActionContext,
  ActionError,
  type RpcAgentOptions,
  rpcAgent,
  WholeReply,
} from "./rpc_agent.ts";
