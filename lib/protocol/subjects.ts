import { md5Hex } from "../crypto/mod.ts";

/** NATS subjects of a collective. */
export const subjects = {
  /** Requests to an agent on every server. */
  broadcast: (collective: string, agent: string): string => `${collective}.broadcast.agent.${agent}`,
  /** Requests to one server that hosts a service agent. */
  service: (collective: string, agent: string): string => `${collective}.broadcast.service.${agent}`,
  /** Requests to one server. */
  node: (collective: string, identity: string): string => `${collective}.node.${identity}`,
  /** Replies to one request of one caller. */
  reply: (collective: string, caller: string, requestId: string): string =>
    `${collective}.reply.${md5Hex(caller)}.${requestId}`,
  /** Prefix of somebody's inboxes; without a name, that of a node that has none yet. */
  inbox: (collective: string, holder?: string): string =>
    holder === undefined ? `${collective}.reply` : `${collective}.reply.${md5Hex(holder)}`,
} as const;
