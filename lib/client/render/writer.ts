import type { FleetReply } from "../reply.ts";
import type { FleetRequest } from "../request.ts";

/** Which replies are shown, where the DDL is not asked. */
export const displayModes = ["ok", "failed", "all", "none"] as const;

/** One of the {@link displayModes}. */
export type DisplayChoice = (typeof displayModes)[number];

/** What is shown of a request. */
export type RequestView = Pick<FleetRequest, "agent" | "action" | "stats" | "summaries" | "aggregates" | "description">;

/** Writes the results of a request in one of the layouts. */
export interface ResultWriter {
  discovering(method: string): void;
  discovered(method: string, nodes: readonly string[], time: number): void;
  /** The request goes out to this many nodes. */
  sending?(total: number): void;
  progress?(done: number): void;
  /** A reply came in. */
  reply(reply: FleetReply, request: RequestView): void;
  /** No more replies come: whatever was drawn meanwhile is finished. */
  finish?(): void;
  /** The request has ended, or was interrupted. */
  end(request: RequestView): void;
  /** The request failed. Gives whether the failure was written, so that it need not be told elsewhere. */
  failed?(error: unknown): boolean;
}

/** Replies in the order of their senders' names, or as they came. */
export function ordered(replies: readonly FleetReply[], sort: boolean): readonly FleetReply[] {
  if (!sort) return replies;
  return [...replies].sort((a, b) => (a.sender < b.sender ? -1 : a.sender > b.sender ? 1 : 0));
}
