import { formatRfc3339Nanos, zeroTime } from "../std/mod.ts";

const form = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/;

/** Unix nanoseconds as RFC 3339 in UTC, without needless zeros, as Go writes them; 0 is Go's zero time. */
export function formatNanos(nanos: bigint): string {
  return nanos === 0n ? zeroTime : formatRfc3339Nanos(nanos);
}

/** RFC 3339 with up to nine decimals and any offset as Unix nanoseconds; undefined when it is something else. */
export function parseNanos(text: unknown): bigint | undefined {
  if (text === zeroTime) return 0n;
  const match = typeof text === "string" ? form.exec(text) : null;
  if (match === null) return undefined;
  const seconds = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(seconds) || seconds < 0) return undefined;
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

/** Milliseconds since the epoch as nanoseconds. */
export function nanosOf(ms: number): bigint {
  return BigInt(Math.floor(ms * 1e3)) * 1_000n;
}
