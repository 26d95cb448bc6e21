/**
 * A whole network on one machine, for trying things out and for tests: its credentials, its configuration, its
 * processes.
 *
 * @module
 */
export { type ComposeOptions, prepareCompose } from "./compose.ts";
export { type NetworkSettings, writeConfiguration } from "./configuration.ts";
export { type CredentialOptions, createCredentials, provisioningSecret } from "./credentials.ts";
export { defaultPorts, Layout, type Ports } from "./layout.ts";
export { type LockOptions, whileAlone } from "./lock.ts";
export {
  type NetworkOptions,
  prepareNetwork,
  provisionedServers,
  StartError,
  type StartOptions,
  serverIdentities,
  startNetwork,
  stopNetwork,
} from "./network.ts";
export { type InstallAgentsOptions, installAgents, type PublishOptions, publishPlugins } from "./plugins.ts";
export { logTail, type ProcessSpec, rememberProcess, runningPid, startProcess, stopProcess } from "./process.ts";
export { composeSite, localSite, type Site } from "./site.ts";
