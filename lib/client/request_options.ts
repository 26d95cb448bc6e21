import type { AgentDdl } from "../ddl/mod.ts";
import type { Filter } from "../protocol/mod.ts";
import type { RemoteSigner } from "../security/mod.ts";
import type { Clock } from "../std/mod.ts";
import type { Courier } from "./courier.ts";
import type { DiscoverOptions, Discovery } from "./discover.ts";
import type { FleetReply } from "./reply.ts";
import type { Rejection } from "./stats.ts";
import type { LimitOptions } from "./targets.ts";

/** What a request tells about its progress. */
export type RequestEvent =
  | { kind: "discovering"; method: string }
  | { kind: "discovered"; method: string; nodes: readonly string[]; time: number }
  | { kind: "sending"; total: number }
  | { kind: "progress"; done: number; total: number }
  | { kind: "rejected"; rejection: Rejection };

/** How an action is called. */
export interface RequestOptions extends DiscoverOptions {
  /** The nodes themselves; nothing is discovered then. */
  nodes?: readonly string[];
  /**
   * Ask everybody at once without discovering, and take whatever answers within the timeout.
   * @default false
   */
  broadcast?: boolean;
  /** Take only some of the nodes. */
  limit?: LimitOptions;
  /**
   * Most nodes asked at a time; 0 asks all at once.
   * @default 0
   */
  batch?: number;
  /**
   * Wait between batches, in milliseconds.
   * @default 1_000
   */
  batchSleep?: number;
  /**
   * Longest wait for the answers of a batch, in milliseconds.
   * @default `discovery_timeout` and the agent's own timeout
   */
  requestTimeout?: number;
  /** Subject on which somebody else receives the replies; nothing is awaited then. */
  replyTo?: string;
  /** Which replies are handed out and summarised; others only count among the figures. */
  keep?: (reply: FleetReply) => boolean;
  /** The agent's DDL, where the caller has it at hand. */
  ddl?: AgentDdl;
  onEvent?: (event: RequestEvent) => void;
}

/** What a {@link FleetRequest} needs of its fleet. */
export interface RequestContext {
  courier: Courier;
  signer: RemoteSigner | undefined;
  clock: Clock;
  /** Ends every request of the fleet. */
  signal: AbortSignal;
  /** Longest wait for the network itself, in milliseconds. */
  networkTimeout: number;
  collective: (wanted: string | undefined) => string;
  ddl: (agent: string) => Promise<AgentDdl>;
  discover: (options: DiscoverOptions, filter: Filter) => Discovery;
}
