import { readFileSync } from "node:fs";
import { decodeBase64, encodeBase64, verifySignature } from "../crypto/mod.ts";
import { errorText, isObject, type JsonObject } from "../std/mod.ts";
import type { TokenSigner } from "./signer.ts";

/** How to reach HashiCorp Vault. */
export interface VaultSettings {
  /** `https://host:8200`; in the clear only on this machine, as the token travels with each request. */
  address: string;
  /** Vault's own token: a secret. */
  token: string;
  namespace?: string;
  /** PEM of the authorities that may vouch for Vault; the system's by default. */
  ca?: string;
  /**
   * Longest wait for an answer, in milliseconds.
   * @default 30_000
   */
  timeout?: number;
}

/**
 * Vault's settings from its usual environment variables: `VAULT_ADDR`, `VAULT_TOKEN`, `VAULT_NAMESPACE`,
 * `VAULT_CACERT`.
 *
 * @throws {Error} naming the variable that is missing or cannot be used.
 */
export function vaultSettings(env: Readonly<Record<string, string | undefined>> = process.env): VaultSettings {
  const { VAULT_ADDR: address, VAULT_TOKEN: token, VAULT_NAMESPACE: namespace, VAULT_CACERT: caFile } = env;
  if (!address || !token) throw new Error("requires VAULT_TOKEN and VAULT_ADDR environment variables");
  return {
    address,
    token,
    ...(namespace ? { namespace } : {}),
    ...(caFile ? { ca: readFileSync(caFile, "utf8") } : {}),
  };
}

/**
 * A signer of a key in Vault's transit engine: ed25519, or RSA, which makes RS256 tokens. The newest version of the
 * key signs. Nothing but what is to be signed leaves this process.
 *
 * @param key Name of the key.
 * @throws {Error} when Vault cannot be asked, or the key is of another type.
 */
export async function vaultSigner(key: string, vault: VaultSettings): Promise<TokenSigner> {
  checkAddress(vault.address);
  const data = await ask(vault, "GET", `keys/${encodeURIComponent(key)}`);
  const version = newestVersion(data, key);
  const sign = (input: Uint8Array, algorithm: object) => signWith(vault, key, version, input, algorithm);
  if (data.type === "ed25519") {
    const publicKey = ed25519Key(data, version, key);
    return {
      algorithm: "EdDSA",
      publicKey,
      async sign(input) {
        const signature = await sign(input, {});
        if (verifySignature(publicKey, input, signature)) return signature;
        throw new Error(`Cannot use the Vault key "${key}": its signature does not fit its public key`);
      },
    };
  }
  if (typeof data.type === "string" && data.type.startsWith("rsa-")) {
    const rs256 = { hash_algorithm: "sha2-256", signature_algorithm: "pkcs1v15" };
    return { algorithm: "RS256", sign: (input) => sign(input, rs256) };
  }
  throw new Error(`Cannot use the Vault key "${key}": it is of the type ${data.type}, expected ed25519 or rsa`);
}

async function signWith(
  vault: VaultSettings,
  key: string,
  version: number,
  input: Uint8Array,
  algorithm: object,
): Promise<Uint8Array> {
  const body = { input: encodeBase64(input), key_version: version, ...algorithm };
  const { signature } = await ask(vault, "POST", `sign/${encodeURIComponent(key)}`, body);
  if (typeof signature !== "string" || signature === "") throw new Error("no signature in response");
  const [, encoded] = /^vault:v\d+:(.+)$/s.exec(signature) ?? [];
  if (encoded === undefined) throw new Error("invalid signature, no vault:v1 prefix");
  const bytes = decodeBase64(encoded);
  if (bytes === undefined) throw new Error("could not decode vault response: expected base64");
  return bytes;
}

async function ask(vault: VaultSettings, method: string, path: string, body?: object): Promise<JsonObject> {
  const { token, namespace, ca, timeout = 30_000 } = vault;
  const url = `${vault.address.replace(/\/+$/, "")}/v1/transit/${path}`;
  const request: BunFetchRequestInit = {
    method,
    headers: { "X-Vault-Token": token, ...(namespace === undefined ? {} : { "X-Vault-Namespace": namespace }) },
    // A redirect would carry the token to wherever it points.
    redirect: "error",
    signal: AbortSignal.timeout(timeout),
    ...(ca === undefined ? {} : { tls: { ca } }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, request);
    text = await response.text();
  } catch (error) {
    throw new Error(`Cannot ask Vault at ${vault.address}: ${errorText(error)}`, { cause: error });
  }
  if (response.status !== 200)
    throw new Error(`request failed: code: ${response.status}: ${text.slice(0, 500).trim()}`);
  return readData(text);
}

function readData(text: string): JsonObject {
  try {
    const answer: unknown = JSON.parse(text);
    if (isObject(answer) && isObject(answer.data)) return answer.data;
  } catch {
    // Told below, together with JSON of another form.
  }
  throw new Error("Cannot read the answer of Vault: expected a JSON object with data");
}

function newestVersion(data: JsonObject, key: string): number {
  const versions = isObject(data.keys) ? Object.keys(data.keys).map(Number).filter(Number.isSafeInteger) : [];
  if (versions.length === 0) throw new Error(`Cannot use the Vault key "${key}": did not receive keys in response`);
  return Math.max(...versions);
}

function ed25519Key(data: JsonObject, version: number, key: string): string {
  const entry = isObject(data.keys) ? data.keys[String(version)] : undefined;
  const text = isObject(entry) ? entry.public_key : undefined;
  const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
  if (bytes?.length === 32) return bytes.toHex();
  throw new Error(`Cannot use the Vault key "${key}": did not receive a valid public key in response`);
}

function checkAddress(address: string): void {
  const url = URL.parse(address);
  if (url === null) throw new Error(`Cannot use VAULT_ADDR "${address}": it is not a URL`);
  if (url.protocol === "https:") return;
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "http:" || !isHere) {
    throw new Error(`VAULT_ADDR must use https scheme, got "${url.protocol.replace(/:$/, "")}"`);
  }
}
