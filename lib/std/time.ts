/** A moment as Go prints it in UTC, to the second: `2026-11-22 04:28:49 +0000 UTC`. */
export function formatGoTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} +0000 UTC`;
}

/** A moment as RFC 3339 in UTC to the second: `2026-11-22T04:28:49Z`. */
export function formatRfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The time that Go's documents use for "not set". */
export const zeroTime = "0001-01-01T00:00:00Z";
