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
  const claims = decodeNatsJwtUnverified(token);
  const end = token.lastIndexOf(".");
  const signature = decodeBase64Url(token.slice(end + 1));
  if (signature === undefined || typeof claims?.iss !== "string") return undefined;
  return verifyNkeySignature(claims.iss, Buffer.from(token.slice(0, end)), signature) ? claims : undefined;
}

/** The claims of a NATS JWT, whoever signed it; undefined when the text is none. */
export function decodeNatsJwtUnverified(token: string): JsonObject | undefined {
  const [, body, signature, extra] = token.split(".", 4);
  return body === undefined || signature === undefined || extra !== undefined ? undefined : parse(body);
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
