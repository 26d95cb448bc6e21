import type { Config } from "../../config/mod.ts";
import type { RpcAgentOptions } from "../../rpc/mod.ts";
import type { Clock } from "../../std/mod.ts";
import type { KeyExchange } from "./key_exchange.ts";
import type { NodeControl } from "./node_control.ts";
import type { NodeFiles } from "./node_files.ts";

/** What the provisioning agent works with. */
export interface ProvisionAgentOptions extends RpcAgentOptions {
  /** The server's configuration file, absolute. Keys, token and policies are written to its folder. */
  configFile: string;
  /** Where the provisioning token lies. */
  tokenFile: string;
  /** Secret that callers must present. */
  secret: string;
  /** Whether the node is being provisioned at present, or serves. */
  isProvisioning: boolean;
  /** Configuration that the server runs with. */
  config: Pick<Config, "option">;
  control: NodeControl;
  clock: Clock;
  /** @default {@link diskFiles} */
  files?: NodeFiles;
  /** Version shown to those who ask for the agents. */
  version: string;
  /** Gives numbers from 0 up to 1; for tests. */
  random?: () => number;
}

/** What the actions share. */
export interface ProvisionState extends ProvisionAgentOptions {
  files: NodeFiles;
  random: () => number;
  /** Folder of the configuration file. */
  directory: string;
  exchange: KeyExchange;
  /** When the process started, milliseconds since the epoch. */
  startedAt: number;
  /** What the node is about to do, if anything. */
  pending?: "restart" | "shutdown";
}
