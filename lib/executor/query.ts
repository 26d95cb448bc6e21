import type { Job } from "./job.ts";

/** Which jobs are wanted; what is left out does not matter. */
export interface JobQuery {
  action?: string;
  agent?: string;
  caller?: string;
  command?: string;
  identity?: string;
  requestId?: string;
  /** Made before this time, and after this one, in milliseconds since the epoch. */
  before?: number;
  since?: number;
  /** Those that run, and those that did. */
  running?: boolean;
  completed?: boolean;
}

const texts = ["action", "agent", "caller", "command", "identity", "requestId"] as const;

/** Whether a job is one of those wanted. */
export function matchesQuery(job: Job, state: { isStarted: boolean; isRunning: boolean }, query: JobQuery): boolean {
  const { before, since, running, completed } = query;
  if (texts.some((key) => query[key] && query[key] !== job[key])) return false;
  if (before !== undefined && job.created >= before) return false;
  if (since !== undefined && job.created <= since) return false;
  if (running && !state.isRunning) return false;
  return !completed || (state.isStarted && !state.isRunning);
}
