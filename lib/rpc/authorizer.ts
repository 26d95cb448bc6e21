import type { JsonObject } from "../std/mod.ts";
import type { AgentMessage } from "./agent.ts";

/** A call of an action that somebody wants to make. */
export interface ActionCall {
  agent: string;
  action: string;
  data: JsonObject;
  /** The message in which the call came. */
  message: AgentMessage;
}

/** Whether a call may be made. */
export interface Decision {
  allowed: boolean;
  /** Which rule or claim decided, for the log and for the caller. */
  reason: string;
}

/** Decides on calls. What it throws counts as a refusal. */
export interface Authorizer {
  authorize(call: ActionCall): Decision | Promise<Decision>;
}

/** Writes down calls that are about to be made. */
export interface CallAuditor {
  record(call: ActionCall): void;
}
