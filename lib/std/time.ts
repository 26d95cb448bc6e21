/** A moment as Go prints it in UTC, to the second: `2026-11-22 04:28:49 +0000 UTC`. */
export function formatGoTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} +0000 UTC`;
}

/** A moment as RFC 3339 in UTC to the second: `2026-11-22T04:28:49Z`. */
export function formatRfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

const nanosPerSecond = 1_000_000_000n;

/**
 * A moment in Unix nanoseconds as RFC 3339 in UTC, with as many digits of the second as are not zero:
 * `2026-11-22T04:24:58.65Z`.
 *
 * @throws {RangeError} when it is further away than dates go, which no time of 64 bits is.
 */
export function formatRfc3339Nanos(nanos: bigint): string {
  const fraction = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond;
  const text = formatRfc3339(Number((nanos - fraction) / nanosPerSecond) * 1_000);
  const digits = String(fraction).padStart(9, "0").replace(/0+$/, "");
  return digits === "" ? text : `${text.slice(0, -1)}.${digits}Z`;
}

/** The time that Go's documents use for "not set". */
export const zeroTime = "0001-01-01T00:00:00Z";
