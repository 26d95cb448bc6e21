import { createHash, timingSafeEqual } from "node:crypto";

/** MD5 as lower-case hex. Only where the wire asks for it: private network ids and inbox prefixes. */
export function md5Hex(data: string | Uint8Array): string {
  return createHash("md5").update(data).digest("hex");
}

/** SHA-256 as lower-case hex. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** SHA-256 as bytes. */
export function sha256(data: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(data).digest();
}

/** Compare two secrets in a time that tells nothing about where, or in what length, they differ. */
export function equalSecrets(a: string, b: string): boolean {
  // Digests have one length, which timingSafeEqual demands.
  return timingSafeEqual(sha256(a), sha256(b));
}
