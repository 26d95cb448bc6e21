/** What happened to the messages that reached a host. Counters only rise; the host and its owner count in place. */
export interface HostStats {
  /** Messages that came in. */
  total: number;
  /** Of those, the ones handed to an agent. */
  valid: number;
  /** Malformed, not believed, or for a collective that this host is not in. */
  invalid: number;
  /** Believed, and matched by their filter. */
  passed: number;
  /** Believed, and meant for other nodes. */
  filtered: number;
  /** Replies sent. */
  replies: number;
  /** Outside their validity. */
  ttlexpired: number;
  /** Lifecycle events published. */
  events: number;
  /** Seen before. */
  replayed: number;
  /** Not looked at, as too many were being worked on. */
  dropped: number;
  /** When the last message was handed to an agent, in Unix seconds; 0 before the first. */
  lastMessage: number;
}

/** Counters of a host that has just started. */
export function newHostStats(): HostStats {
  return {
    total: 0,
    valid: 0,
    invalid: 0,
    passed: 0,
    filtered: 0,
    replies: 0,
    ttlexpired: 0,
    events: 0,
    replayed: 0,
    dropped: 0,
    lastMessage: 0,
  };
}
