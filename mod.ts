/**
 * Choria on Bun as a library.
 *
 * Ask the fleet, with the configuration and token that the command line uses:
 *
 * ```ts
 * import { connectFleet, loadConfig } from "choria";
 *
 * const config = loadConfig(".choria/config/client/client.conf", { kind: "client" });
 * await using fleet = await connectFleet(config);
 * for await (const reply of fleet.request("rpcutil", "ping")) {
 *   console.log(reply.sender, reply.statusmsg);
 * }
 * ```
 *
 * Look into a token without believing it:
 *
 * ```ts
 * import { decodeTokenUnverified, readTokenFile } from "choria";
 *
 * console.log(decodeTokenUnverified(readTokenFile("client.jwt")));
 * ```
 *
 * Describe an autonomous agent, for `choria machine compile`:
 *
 * ```ts
 * import { defineMachine } from "choria";
 *
 * export default defineMachine({
 *   name: "lamp",
 *   version: "1.0.0",
 *   states: ["OFF", "ON"],
 *   initialState: "OFF",
 *   transitions: { light: { from: ["OFF"], destination: "ON" } },
 *   watchers: { wait: { type: "timer", stateMatch: ["OFF"], failTransition: "light", properties: { timer: "1m" } } },
 * });
 * ```
 *
 * Rooms that are not re-exported here are the system's own; see ARCHITECTURE.md.
 *
 * @module
 */
export * as kit from "./agents/kit.ts";
export * from "./lib/client/mod.ts";
export { Config, configFrom, findClientConfig, type LoadOptions, loadConfig } from "./lib/config/mod.ts";
export { type AgentDdl, DdlError, type DdlResolver, defineDdl, parseDdl } from "./lib/ddl/mod.ts";
export { externalSource, flatfileSource, inventorySource, listSource, type NodeSource } from "./lib/discovery/mod.ts";
export { defineMachine, type MachineSpec, type TransitionSpec, type WatcherSpec } from "./lib/machine/mod.ts";
export { type FactFilter, type Filter, parseFactFilter, type RpcReply, statusCodes } from "./lib/protocol/mod.ts";
export { compileRego, RegoCache, RegoError, type RegoPolicy, type RegoResult } from "./lib/rego/mod.ts";
export { type Clock, createLogger, type Logger, silentLogger, systemClock } from "./lib/std/mod.ts";
export {
  type Claims,
  type ClientClaims,
  decodeTokenUnverified,
  type ProvisioningClaims,
  readTokenFile,
  type ServerClaims,
  TokenError,
  TokenExpiredError,
  verifyToken,
} from "./lib/tokens/mod.ts";
