/** Whether a call may be made. */
export interface Decision {
  allowed: boolean;
  /** Which entry or rule decided, or why none did; for the log and for the caller. */
  reason: string;
}

/** A decision in favour of a call. */
export function allow(reason: string): Decision {
  return { allowed: true, reason };
}

/** A decision against a call. */
export function deny(reason: string): Decision {
  return { allowed: false, reason };
}
