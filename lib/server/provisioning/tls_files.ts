import { createDecipheriv, createHash, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { decodeHex } from "../../crypto/mod.ts";
import type { NodeFiles } from "./node_files.ts";

/** TLS certificate of a node, as a provisioner sends it. */
export interface TlsMaterial {
  /** PEM. */
  certificate: string;
  /** PEM. */
  ca: string;
  /** Private key as PEM encrypted with the exchanged secret; absent where the node has made its own. */
  key?: string;
  /** The provisioner's half of the key exchange, hex. */
  peerKey?: string;
  /** The node's own half. */
  exchange: KeyObject | undefined;
}

const x25519Prefix = Buffer.from("302a300506032b656e032100", "hex");

/**
 * Write a node's certificate, and the private key where one was sent.
 * @throws {Error} when the private key cannot be decrypted.
 */
export function writeTlsFiles(files: NodeFiles, folder: string, material: TlsMaterial): void {
  const key = material.key === undefined ? undefined : decryptKey(material.key, material);
  files.write(join(folder, "certificate.pem"), material.certificate, 0o644);
  files.write(join(folder, "ca.pem"), material.ca, 0o644);
  if (key === undefined) return;
  files.write(join(folder, "private.pem"), key, 0o600);
  files.remove(join(folder, "csr.pem"));
}

/** Decrypt a PEM block with `Proc-Type: 4,ENCRYPTED` and AES-256-CBC, keyed with the exchanged secret. */
function decryptKey(pem: string, { peerKey = "", exchange }: TlsMaterial): string {
  const match =
    /-----BEGIN ([A-Z ]+)-----\s+Proc-Type: 4,ENCRYPTED\s+DEK-Info: AES-256-CBC,([0-9A-Fa-f]{32})\s+([^-]+)-----END/.exec(
      pem,
    );
  const raw = decodeHex(peerKey);
  if (match === null) throw new Error("bad key received");
  if (exchange === undefined || raw?.length !== 32) throw new Error("no ECDH Public Key");
  const [, type = "", iv = "", body = ""] = match;
  const publicKey = createPublicKey({ key: Buffer.concat([x25519Prefix, raw]), format: "der", type: "spki" });
  const secret = diffieHellman({ privateKey: exchange, publicKey });
  const salt = Buffer.from(iv, "hex");
  const decipher = createDecipheriv("aes-256-cbc", stretch(secret, salt.subarray(0, 8)), salt);
  const der = Buffer.concat([decipher.update(Buffer.from(body, "base64")), decipher.final()]);
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${type}-----\n${lines.join("\n")}\n-----END ${type}-----\n`;
}

/** OpenSSL's key derivation of old, which this PEM encryption prescribes. */
function stretch(secret: Uint8Array, salt: Uint8Array): Buffer {
  const md5 = (...parts: Uint8Array[]) => createHash("md5").update(Buffer.concat(parts)).digest();
  const first = md5(secret, salt);
  return Buffer.concat([first, md5(first, secret, salt)]);
}
