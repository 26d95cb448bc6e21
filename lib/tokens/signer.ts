import { createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { encodeBase64Url, type KeyPair, keyFromSeed } from "../crypto/mod.ts";
import { encodeUtf8, errorText } from "../std/mod.ts";

/** Something that can sign a JWT: a key in a file or in somebody else's vault. */
export interface TokenSigner {
  /** `alg` of the tokens it makes. */
  readonly algorithm: "EdDSA" | "RS256";
  /** Public part of an ed25519 key, hex: trust chains need it. RSA signers have none. */
  readonly publicKey?: string;
  /** Sign the bytes; gives the raw signature. */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** A signer of an ed25519 key at hand. */
export function keySigner(key: KeyPair): TokenSigner {
  return { algorithm: "EdDSA", publicKey: key.publicKey, sign: async (data) => key.sign(data) };
}

/**
 * A signer of the key in a file: an RSA key in PEM, or an ed25519 seed of 64 hex characters.
 * @throws {Error} `unsupported key in FILE`.
 */
export function readTokenSigner(path: string): TokenSigner {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`Cannot read the signing key "${path}": ${errorText(error)}`, { cause: error });
  }
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return keySigner(keyFromSeed(trimmed));
  if (!/^-----BEGIN (RSA )?PRIVATE KEY-----/.test(trimmed)) throw new Error(`unsupported key in ${path}`);
  return rsaSigner(trimmed, path);
}

/**
 * Write claims as a signed JWT in compact form, keys in the order given.
 */
export async function signToken(claims: object, signer: TokenSigner): Promise<string> {
  const header = encodeBase64Url(JSON.stringify({ alg: signer.algorithm, typ: "JWT" }));
  const body = `${header}.${encodeBase64Url(JSON.stringify(claims))}`;
  return `${body}.${encodeBase64Url(await signer.sign(encodeUtf8(body)))}`;
}

function rsaSigner(pem: string, path: string): TokenSigner {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== "rsa") throw new TypeError(`the key is of type ${key.asymmetricKeyType}`);
    return { algorithm: "RS256", sign: async (data) => sign("sha256", data, key) };
  } catch (error) {
    throw new Error(`unsupported key in ${path}: ${errorText(error)}`, { cause: error });
  }
}
