import type { DdlMetadata } from "../ddl/mod.ts";
import type { Request } from "../protocol/mod.ts";
import type { ClientClaims } from "../tokens/mod.ts";

/** What an agent says about itself, as its DDL does. */
export type AgentMetadata = DdlMetadata;

/** A message for an agent, verified as far as the host verifies. */
export interface AgentMessage {
  request: Request;
  /** The request's message, one layer of base64 taken off where there was one. */
  payload: Uint8Array;
  /** Claims of the caller's token; undefined where the host does not verify, as while it is provisioned. */
  caller?: ClientClaims;
  /** The caller's token. */
  callerToken?: string;
}

/** Something that answers messages. */
export interface Agent {
  readonly metadata: AgentMetadata;
  /**
   * Answer a message.
   *
   * @param signal Aborts when the agent's time is over.
   * @returns the payload of the reply; undefined for none.
   */
  handle(message: AgentMessage, signal: AbortSignal): Promise<Uint8Array | undefined>;
}
