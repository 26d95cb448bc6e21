import { isObject, type JsonObject } from "../std/mod.ts";
import { decodeBase64Url, encodeBase64Url } from "./base64.ts";
import { type Nkey, verifyNkeySignature } from "./nkeys.ts";

const header = encodeBase64Url(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }));

/** Write a NATS JWT (`ed25519-nkey`), as nats-server's auth callout speaks them. */
export function encodeNatsJwt(claims: JsonObject, key: Nkey): string {
  const body = `${header}.${encodeBase64Url(JSON.stringify(claims))}`;
  return `${body}.${encodeBase64Url(key.sign(Buffer.from(body)))}`;
}

/**
 * Read a NATS JWT and check that the key named in its `iss` signed it.
 *
 * @returns the claims, or undefined when the text is not a NATS JWT or its signature does not fit.
 */
export function decodeNatsJwt(token: string): JsonObject | undefined {
  const [head, body, signature, extra] = token.split(".");
  if (head === undefined || body === undefined || signature === undefined || extra !== undefined) return undefined;
  const claims = parse(body);
  const bytes = decodeBase64Url(signature);
  if (claims === undefined || bytes === undefined || typeof claims.iss !== "string") return undefined;
  return verifyNkeySignature(claims.iss, Buffer.from(`${head}.${body}`), bytes) ? claims : undefined;
}

function parse(part: string): JsonObject | undefined {
  const bytes = decodeBase64Url(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
