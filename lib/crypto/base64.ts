import { encodeUtf8 } from "../std/mod.ts";

/**
 * Decode standard base64 with padding, as Go's JSON carries bytes. Line breaks are passed over.
 * @returns undefined for anything else.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}

/** Encode bytes as standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/** Decode base64url without padding, as JWTs and CONNECT signatures are written; undefined for anything else. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  try {
    if (text.includes("=")) return undefined;
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}

/** Encode bytes or text as base64url without padding. */
export function encodeBase64Url(data: Uint8Array | string): string {
  const bytes = typeof data === "string" ? encodeUtf8(data) : data;
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Decode hex of either case; undefined for anything else. */
export function decodeHex(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromHex(text);
  } catch {
    return undefined;
  }
}
