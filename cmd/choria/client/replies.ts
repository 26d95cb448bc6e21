import type { RequestStats } from "../../../lib/client/mod.ts";

/** Exit code when a request was made but some nodes failed or did not answer. */
export const someFailed = 2;

/** Whether every node answered and none failed. */
export function isComplete(stats: RequestStats): boolean {
  return stats.failed === 0 && stats.noResponses.length === 0 && stats.responses > 0;
}

/** Let the process end by how a request went. */
export function endWithStats(stats: RequestStats): void {
  process.exitCode = isComplete(stats) ? 0 : someFailed;
}
