import { errorText } from "./errors.ts";

/** Keys whose values are never written, should they ever slip into the fields of a log line. */
const secretKeys = new Set([
  "token",
  "jwt",
  "password",
  "pass",
  "passwd",
  "seed",
  "secret",
  "auth_token",
  "private_key",
  "authorization",
]);
/** Keys that the log line itself uses. */
const lineKeys = new Set(["time", "level", "msg"]);
const jsonWebToken = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;
const deepest = 6;
const mask = "*****";

/** Text without tokens: whatever looks like a JWT is masked, wherever it stands. */
export function withoutTokens(text: string): string {
  return text.includes("eyJ") ? text.replace(jsonWebToken, mask) : text;
}

/** Fields as they may be written: without secrets, and without names that the line needs for itself. */
export function safeFields(fields: { readonly [key: string]: unknown }): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]): [string, unknown] => [
    lineKeys.has(key) ? `fields.${key}` : key,
    safe(key, value, 1),
  ]);
  return Object.fromEntries(entries);
}

function safe(key: string, value: unknown, depth: number): unknown {
  if (secretKeys.has(key.toLowerCase()) && value !== undefined) return mask;
  if (typeof value === "string") return withoutTokens(value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return withoutTokens(errorText(value));
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  if (depth >= deepest) return "…";
  if (Array.isArray(value)) return value.map((item) => safe("", item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, safe(name, item, depth + 1)]));
}
