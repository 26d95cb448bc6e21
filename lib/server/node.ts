import type { Config } from "../config/mod.ts";
import type { Connection } from "../connector/mod.ts";
import { classesFile, factFiles } from "../filter/mod.ts";
import type { MachineHost } from "../machine/mod.ts";
import type { AgentMetadata, HostStats } from "../rpc/mod.ts";
import type { Clock, JsonObject, Logger } from "../std/mod.ts";

/** What a server knows of itself: what its agents, policies, status and metrics draw on. */
export interface ServerNode {
  readonly config: Config;
  readonly identity: string;
  readonly collectives: readonly string[];
  readonly mainCollective: string;
  readonly isProvisioning: boolean;
  readonly clock: Clock;
  /** When the server started, milliseconds since the epoch. */
  readonly startedAt: number;
  /** Facts as they are now. Never rejects. */
  facts(): Promise<JsonObject>;
  /** Classes as they are now. */
  classes(): readonly string[];
  /** The agents that the server hosts, sorted by name. */
  agents(): AgentMetadata[];
  /** What happened to the messages so far. */
  readonly stats: Readonly<HostStats>;
  readonly connection: Connection;
  /** The autonomous agents; undefined where the server runs none, and until they are started. */
  readonly machines?: MachineHost | undefined;
  /** How often the connection was restored. */
  readonly reconnects: number;
}

/** Where Puppet leaves the classes of a node. */
const defaultClassesFile = "/opt/puppetlabs/puppet/cache/state/classes.txt";

/** Where a node's facts and classes come from. */
export function nodeSources(config: Config, logger: Logger): Pick<ServerNode, "facts" | "classes"> {
  const facts = factFiles(config.get("plugin.yaml"), logger);
  const classes = classesFile(config.get("classesfile") || defaultClassesFile);
  return { facts: () => facts.read(), classes };
}
