/**
 * The server role: the daemon on every node of a fleet.
 *
 * @module
 */
export { Announcer, type AnnouncerOptions } from "./announcer.ts";
export { allowAll, claimsAuthorizer, configuredAuthorizer } from "./authorizers.ts";
export type { ServerNode } from "./node.ts";
export { type RunServerOptions, runServer } from "./run.ts";
export { type AgentKit, type ServerHandle, type ServerOptions, startServer } from "./server.ts";
export { statusDocument } from "./status.ts";
