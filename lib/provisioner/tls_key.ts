import {
  createCipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from "node:crypto";
import { decodeHex } from "../crypto/mod.ts";

const x25519Prefix = Buffer.from("302a300506032b656e032100", "hex");

/**
 * Hide a node's TLS key, which a helper gave in the clear, for its way to the node.
 *
 * @param pem One unencrypted PEM block.
 * @param nodeKey The node's half of the X25519 key exchange, hex.
 * @returns the block with `Proc-Type: 4,ENCRYPTED`, and our half of the exchange as hex.
 * @throws {TypeError} when either cannot be used.
 */
export function encryptTlsKey(pem: string, nodeKey: string): { key: string; publicKey: string } {
  const match = /-----BEGIN ([A-Z ]+)-----\s+([A-Za-z0-9+/=\s]+)-----END/.exec(pem);
  const raw = decodeHex(nodeKey);
  if (match === null) throw new TypeError("Cannot use the private key of the helper: it is not PEM");
  if (raw?.length !== 32) throw new TypeError("Cannot hide the private key: the node gave no key to hide it with");
  const [, type = "", body = ""] = match;
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const peer = createPublicKey({ key: Buffer.concat([x25519Prefix, raw]), format: "der", type: "spki" });
  const iv = randomBytes(16);
  const secret = stretch(diffieHellman({ privateKey, publicKey: peer }), iv.subarray(0, 8));
  const cipher = createCipheriv("aes-256-cbc", secret, iv);
  const sealed = Buffer.concat([cipher.update(Buffer.from(body, "base64")), cipher.final()]);
  const lines = (sealed.toString("base64").match(/.{1,64}/g) ?? []).join("\n");
  const header = `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,${iv.toString("hex")}`;
  return {
    key: `-----BEGIN ${type}-----\n${header}\n\n${lines}\n-----END ${type}-----\n`,
    publicKey: publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex"),
  };
}

/** OpenSSL's key derivation of old, which this PEM encryption prescribes. */
function stretch(secret: Uint8Array, salt: Uint8Array): Buffer {
  const md5 = (...parts: Uint8Array[]) => createHash("md5").update(Buffer.concat(parts)).digest();
  const first = md5(secret, salt);
  return Buffer.concat([first, md5(first, secret, salt)]);
}
