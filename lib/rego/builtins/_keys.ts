import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { attempt, bad } from "./_kit.ts";

/** A key that may verify a token, with the name it has in a set of keys. */
export interface VerifyKey {
  readonly key: KeyObject;
  readonly id: string | undefined;
  readonly algorithm: string | undefined;
}

const MAX_PEM = 1 << 16;
const PEM = /^\s*-----BEGIN ([A-Z0-9 ]+)-----\s[\s\S]*?-----END \1-----\s*/;

/** The keys of a PEM certificate, a PEM public key, a JSON web key or a set of those. */
export function readKeys(text: string): VerifyKey[] {
  if (text.trimStart().startsWith("-----")) return [{ key: readPem(text), id: undefined, algorithm: undefined }];
  const doc = attempt(() => JSON.parse(text) as unknown);
  const list = isRecord(doc) && Array.isArray(doc.keys) ? (doc.keys as unknown[]) : [doc];
  const keys = list.flatMap((each) => readJwk(each) ?? []);
  if (keys.length === 0) throw bad("failed to parse a JWK key (set)");
  return keys;
}

function readPem(text: string): KeyObject {
  const match = text.length > MAX_PEM ? null : PEM.exec(text);
  if (match === null) throw bad("failed to decode PEM block containing the key");
  if (match[0].length < text.length) throw bad("extra data after a PEM certificate block");
  if (match[1] === "CERTIFICATE") {
    const key = attempt(() => new X509Certificate(text).publicKey);
    if (key === undefined) throw bad("failed to parse a PEM certificate");
    return key;
  }
  const key = match[1] === "PUBLIC KEY" ? attempt(() => createPublicKey(text)) : undefined;
  if (key === undefined) throw bad("failed to extract a Key from the PEM certificate");
  return key;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readJwk(value: unknown): VerifyKey | undefined {
  if (!isRecord(value)) return undefined;
  const key = attempt(() => createPublicKey({ key: value, format: "jwk" }));
  if (key === undefined) return undefined;
  const text = (field: unknown) => (typeof field === "string" ? field : undefined);
  return { key, id: text(value.kid), algorithm: text(value.alg) };
}
